from __future__ import annotations

import json
from dataclasses import replace

from tallystick.ports.errors import Missing, Refused, Taken
from tallystick.ports.records import Kind, Remote
from tallystick.ports.roles import Gone, Push
from tallystick.ports.samples import customer
from tallystick.ports.testing import remotes_of
from tallystick.providers.invoiceninja.tests.answers import (
    bodies,
    called,
    fixture,
    ninja,
    refusal,
)
from tallystick.providers.invoiceninja.tests.case import CASE

THERE = Remote("Opnel5aKBz", "1768471200")
DETAILS = (
    ("django_user_id", 7),
    ("referral_code", "SPRING"),
    ("referred_by", "Bo"),
    ("nationality", "DE"),
    ("signup_date", "2026-01-15"),
)


def test_a_client_says_only_what_it_should() -> None:
    client, network = ninja({"POST clients": fixture("client")})
    ada = replace(customer(1), details=DETAILS, tax_number="DE1", currency="EUR", name="A" * 300)
    (remote,) = remotes_of(client.push_customers([Push(ada)], attempt="1"))
    assert remote == Remote(
        "Opnel5aKBz", "1768471200", "https://invoices.example.org/#/clients/Opnel5aKBz"
    )
    assert bodies(network, "POST clients") == [
        {
            "name": "A" * 190 + "…",
            "id_number": ada.key,
            "vat_number": "DE1",
            "address1": "Hauptstraße 1",
            "address2": "",
            "city": "Köln",
            "state": "NRW",
            "postal_code": "50667",
            "country_code": "DE",
            "currency_code": "EUR",
            "custom_value1": "SPRING",
            "custom_value2": "Bo",
            "custom_value3": "DE",
            "custom_value4": "7",
            "private_notes": "Django user: 7\nSigned up: 2026-01-15",
            "contacts": [
                {
                    "first_name": "Ada",
                    "last_name": "Muster 1",
                    "email": "ada1@example.org",
                    "phone": "+49 221 000000",
                    "send_email": True,
                }
            ],
        }
    ]


def test_a_change_keeps_contacts_currency_and_notes_of_the_staff() -> None:
    client, network = ninja(
        {
            "GET clients/Opnel5aKBz": fixture("client_with_staff_contact"),
            "PUT clients/Opnel5aKBz": fixture("client_with_staff_contact"),
        }
    )
    moved = replace(customer(1), phone="0800 1", currency="EUR", details=DETAILS)
    assert remotes_of(client.push_customers([Push(moved, THERE)], attempt="1"))
    (sent,) = bodies(network, "PUT clients/Opnel5aKBz")
    staff, ours = sent["contacts"]
    assert (staff["id"], staff["email"], staff["custom_value1"], staff["is_primary"]) == (
        "Wpmbk5ezJn", "bo@example.org", "the father", True,
    )  # fmt: skip
    assert (ours["id"], ours["phone"], ours["is_primary"]) == ("VolejRejNm", "0800 1", False)
    assert sent["settings"]["currency_id"] == "1"
    assert sent["settings"]["language_id"] == "3"
    assert sent["country_id"] == "276"
    assert not {"private_notes", "currency_code", "country_code"} & set(sent)


def test_the_contact_of_a_changed_address_is_the_first_there_ever_was() -> None:
    client, network = ninja(
        {
            "GET clients/Opnel5aKBz": fixture("client_with_staff_contact"),
            "PUT clients/Opnel5aKBz": fixture("client"),
        }
    )
    married = replace(customer(1), email="new@example.org")
    assert remotes_of(client.push_customers([Push(married, THERE)], attempt="1"))
    (sent,) = bodies(network, "PUT clients/Opnel5aKBz")
    assert [contact["email"] for contact in sent["contacts"]] == [
        "bo@example.org",
        "new@example.org",
    ]


def test_an_id_number_that_staff_entered_stays() -> None:
    numbered = fixture("client").replace(b"c-00000000000000000000000000000001", b"HRB 4711")
    client, network = ninja(
        {"GET clients/Opnel5aKBz": numbered, "PUT clients/Opnel5aKBz": numbered}
    )
    assert remotes_of(client.push_customers([Push(customer(1), THERE)], attempt="1"))
    assert "id_number" not in bodies(network, "PUT clients/Opnel5aKBz")[0]


def test_a_client_that_bears_the_key_of_another_of_ours_is_left_alone() -> None:
    ours, others = (replace(customer(1), key=f"c-{digit * 32}") for digit in "ab")
    there = json.loads(fixture("client"))
    there["data"]["id_number"] = others.key
    client, network = ninja({"GET clients/Opnel5aKBz": json.dumps(there).encode()})
    (why,) = client.push_customers([Push(ours, THERE)], attempt="1")
    assert isinstance(why, Refused)
    assert others.key in str(why)
    assert [called(each) for each in network.requests()] == ["GET clients/Opnel5aKBz"]


def test_a_client_that_is_there_already_is_brought_up_to_date() -> None:
    client, network = ninja(
        {
            "POST clients": refusal(422, "id_number_taken"),
            "GET clients": fixture("clients"),
            "GET clients/Opnel5aKBz": fixture("client"),
            "PUT clients/Opnel5aKBz": fixture("client"),
        }
    )
    (remote,) = remotes_of(client.push_customers([Push(customer(1))], attempt="1"))
    assert remote.id == "Opnel5aKBz"
    assert network.requests()[1].url.params["id_number"] == customer(1).key


def test_a_key_that_is_taken_by_nobody_who_can_be_found_is_told() -> None:
    client, _ = ninja(
        {"POST clients": refusal(422, "id_number_taken"), "GET clients": fixture("nobody")}
    )
    (outcome,) = client.push_customers([Push(customer(1))], attempt="1")
    assert isinstance(outcome, Taken)


def test_a_client_that_is_gone_is_missing() -> None:
    client, _ = ninja({"GET clients/Opnel5aKBz": refusal(400, "not_found")})
    (outcome,) = client.push_customers([Push(customer(1), THERE)], attempt="1")
    assert isinstance(outcome, Missing)


def test_two_clients_of_one_address_stay_two() -> None:
    stand = CASE.stand()
    client = CASE.connect(stand)
    both = [Push(replace(customer(n), email="family@example.org")) for n in (1, 2)]
    first, second = remotes_of(client.push_customers(both, attempt="1"))
    assert first.id != second.id


def test_an_inactive_customer_is_archived_and_comes_back() -> None:
    stand = CASE.stand()
    client = CASE.connect(stand)
    (remote,) = remotes_of(client.push_customers([Push(customer(1))], attempt="1"))
    for is_active in (False, True):
        push = Push(replace(customer(1), is_active=is_active), remote)
        (again,) = remotes_of(client.push_customers([push], attempt=str(is_active)))
        (there,) = client.pull_customers(since=None).items
        assert (again.id, there.is_active) == (remote.id, is_active)


def test_what_was_deleted_there_is_restored_for_who_is_active() -> None:
    gone = fixture("client").replace(b'"is_deleted": false', b'"is_deleted": true')
    client, network = ninja(
        {
            "GET clients/Opnel5aKBz": gone,
            "POST clients/bulk": fixture("clients"),
            "PUT clients/Opnel5aKBz": fixture("client"),
        }
    )
    assert remotes_of(client.push_customers([Push(customer(1), THERE)], attempt="1"))
    assert bodies(network, "POST clients/bulk") == [{"action": "restore", "ids": ["Opnel5aKBz"]}]
    left = replace(customer(1), is_active=False)
    before = len(network.requests())
    assert remotes_of(client.push_customers([Push(left, THERE)], attempt="1"))
    assert [called(r) for r in network.requests()[before:]] == ["GET clients/Opnel5aKBz"]


def test_what_is_gone_here_is_archived_there() -> None:
    stand = CASE.stand()
    client = CASE.connect(stand)
    (remote,) = remotes_of(client.push_customers([Push(customer(1))], attempt="1"))
    for attempt in ("1", "2"):
        (outcome,) = client.archive(Kind.CUSTOMER, [Gone("c-1", remote)], attempt=attempt)
        assert isinstance(outcome, Remote)
        (there,) = client.pull_customers(since=None).items
        assert not there.is_active


def test_what_is_gone_there_too_is_well_put_away() -> None:
    client, _ = ninja(
        {
            "POST clients/bulk": refusal(422, "email_invalid"),
            "GET clients/Opnel5aKBz": refusal(400, "not_found"),
        }
    )
    gone = Gone("c-1", THERE)
    assert client.archive(Kind.CUSTOMER, [gone], attempt="1") == [THERE]


def test_a_customer_comes_back_as_it_went() -> None:
    stand = CASE.stand()
    client = CASE.connect(stand)
    ada = replace(customer(1), details=DETAILS, tax_number="DE1", currency="EUR")
    (remote,) = remotes_of(client.push_customers([Push(ada)], attempt="1"))
    (there,) = client.pull_customers(since=None).items
    assert (there.remote, there.key, there.local_id) == (remote, ada.key, "7")
    for name in ("name", "email", "first_name", "last_name", "phone", "tax_number", "address"):
        assert getattr(there, name) == getattr(ada, name)
    assert there.currency == "EUR"
