"""Clients and their contacts."""

from __future__ import annotations

import pytest

from tallystick.kit.clock import VirtualClock
from tallystick.providers.invoiceninja.sandbox.tests.api import Api, Json


def test_a_client_is_made_with_200_and_told_of_whole(api: Api) -> None:
    person = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.org"}
    made = api.client_of("Ada <b>Lovelace</b>", id_number="7", contacts=[person])
    assert made["name"] == made["display_name"] == "Ada Lovelace"
    assert (made["id_number"], made["number"], made["country_id"]) == ("7", "0001", "276")
    assert made["settings"] == {"currency_id": "3"}
    assert (made["created_at"], made["archived_at"]) == (1767225600, 0)
    assert made["contacts"][0]["email"] == "ada@example.org"
    assert made["contacts"][0]["link"].startswith("https://invoiceninja.sandbox/client/")
    assert api.get(f"/clients/{made['id']}") == made


def test_ids_are_short_and_the_same_for_every_kind(api: Api) -> None:
    clients = [api.client_of()["id"] for _ in range(50)]
    assert len(set(clients)) == 50
    assert {len(identity) for identity in clients} == {10}
    assert api.post("/products", {"product_key": "a"})["id"] == clients[0]


def test_primary_contact_is_not_known(api: Api) -> None:
    given = {"name": "Ada", "primary_contact": {"email": "ada@example.org"}}
    (contact,) = api.post("/clients", given)["contacts"]
    assert (contact["email"], contact["is_primary"], contact["send_email"]) == ("", True, True)
    assert api.get("/clients", email="ada@example.org") == []


def test_contacts_that_are_not_named_are_gone(api: Api) -> None:
    people = [{"email": "a@example.org"}, {"email": "b@example.org"}]
    made = api.client_of(contacts=people)
    path = f"/clients/{made['id']}"
    first, second = made["contacts"]
    kept = api.put(path, {"name": "Ada L."})
    assert [c["id"] for c in kept["contacts"]] == [first["id"], second["id"]]
    changed = api.put(path, {"contacts": [{"id": second["id"], "first_name": "B"}]})
    (left,) = changed["contacts"]
    assert (left["id"], left["email"], left["first_name"]) == (second["id"], "b@example.org", "B")
    assert left["is_primary"]
    replaced = api.put(path, {"contacts": [{"email": "b@example.org"}]})
    assert replaced["contacts"][0]["id"] not in {first["id"], second["id"]}
    assert [c["email"] for c in api.put(path, {"contacts": []})["contacts"]] == [""]


def test_the_first_contact_is_primary_and_one_gets_mails(api: Api) -> None:
    people = [
        {"email": "a@example.org", "send_email": False},
        {"email": "b@example.org", "send_email": False, "is_primary": True},
    ]
    made = api.client_of(contacts=people)["contacts"]
    assert [c["is_primary"] for c in made] == [True, False]
    assert [c["send_email"] for c in made] == [True, False]


@pytest.mark.parametrize(
    ("people", "member"),
    [
        ([{"email": "not an address"}], "contacts.0.email"),
        ([{"email": "a@example.org"}, {"email": "A@example.org"}], "contacts.1.email"),
        ("none", "contacts"),
    ],
)
def test_addresses_are_good_and_once_in_a_list(api: Api, people: object, member: str) -> None:
    assert api.refused("POST", "/clients", {"contacts": people}) == [member]


def test_addresses_are_not_unique_over_clients(api: Api) -> None:
    for _ in range(2):
        api.client_of("Ada", contacts=[{"email": None}, {"email": "ada@example.org"}])
    assert len(api.get("/clients", email="ADA@example.org")) == 2


@pytest.mark.parametrize("member", ["id_number", "number"])
def test_numbers_are_unique_the_deleted_ones_too(api: Api, member: str) -> None:
    made = api.client_of(**{member: "7"})
    api.send("DELETE", f"/clients/{made['id']}")
    assert api.refused("POST", "/clients", {member: "7"}) == [member]
    other = api.client_of("Bob")
    assert api.refused("PUT", f"/clients/{other['id']}", {member: "7"}) == [member]
    assert api.put(f"/clients/{other['id']}", {member: other[member]})
    assert api.stand.ledger.doubled() == []


def test_a_put_without_a_currency_resets_it(api: Api) -> None:
    made = api.client_of(currency_code="USD")
    path = f"/clients/{made['id']}"
    assert made["settings"]["currency_id"] == "1"
    kept = api.put(path, {"name": "A", "settings": {"currency_id": "1"}})
    assert kept["settings"]["currency_id"] == "1"
    assert api.put(path, {"name": "A"})["settings"]["currency_id"] == "3"


@pytest.mark.parametrize(
    ("given", "country"),
    [
        ({"country_id": "840"}, "840"),
        ({"country_id": 826}, "826"),
        ({"country_code": "gb"}, "826"),
        ({"country_code": "FRA"}, "250"),
        ({"country_code": "??"}, "276"),
    ],
)
def test_countries(api: Api, given: Json, country: str) -> None:
    assert api.client_of(**given)["country_id"] == country


def test_what_is_refused_is_told_at_once(api: Api) -> None:
    given = {"country_id": "99999", "classification": "cat", "name": ["a"]}
    assert set(api.refused("POST", "/clients", given)) == set(given)


def test_the_database_cuts_without_a_word(api: Api) -> None:
    assert len(api.client_of("x" * 300, contacts=[])["name"]) == 191


def test_archive_delete_and_restore(api: Api, clock: VirtualClock) -> None:
    made = api.client_of()
    ids = {"ids": [made["id"], "unknown"]}
    (archived,) = api.post("/clients/bulk", {"action": "archive", **ids})
    assert (bool(archived["archived_at"]), archived["is_deleted"]) == (True, False)
    again = api.send("POST", "/clients/bulk", {"action": "archive", **ids})
    assert (again.status_code, again.json()) == (400, {"message": "Duplicate request"})
    clock.sleep(1)
    assert api.post("/clients/bulk", {"action": "archive", **ids})
    (deleted,) = api.post("/clients/bulk", {"action": "delete", **ids})
    assert deleted["is_deleted"]
    assert api.send("PUT", f"/clients/{made['id']}", {"name": "A"}).status_code == 400
    (restored,) = api.post("/clients/bulk", {"action": "restore", **ids})
    assert (restored["archived_at"], restored["is_deleted"]) == (0, False)


@pytest.mark.parametrize("body", [{"action": "create", "ids": ["a"]}, {"action": "archive"}])
def test_bulk_is_for_actions_only(api: Api, body: Json) -> None:
    assert api.refused("POST", "/clients/bulk", body)
