from __future__ import annotations

from dataclasses import replace

import httpx2
import pytest

from tallystick.ports.errors import Garbled
from tallystick.ports.records import (
    Remote,
)
from tallystick.ports.roles import Push
from tallystick.ports.samples import customer
from tallystick.ports.sandboxing import Fault, FaultKind, transport
from tallystick.ports.testing import remotes_of
from tallystick.providers.xero.sandbox import XeroStand
from tallystick.providers.xero.tests.answers import (
    Answers,
    fixture,
    sent,
    xero,
)
from tallystick.providers.xero.tests.case import CASE, ORGANISATION


def test_two_people_of_one_name_stay_two() -> None:
    stand = CASE.stand()
    client = CASE.connect(stand)
    anna, other = (replace(customer(n), name="Anna Berg") for n in (1, 2))
    first, second = remotes_of(client.push_customers([Push(anna), Push(other)], attempt="1"))
    assert first.id != second.id
    names = [contact["Name"] for contact in stand.app(ORGANISATION).books.contacts]
    assert names == ["Anna Berg", "Anna Berg (000002)"]

    changed = replace(other, phone="0800 1")
    assert remotes_of(client.push_customers([Push(changed, second)], attempt="2"))
    assert [c["Name"] for c in stand.app(ORGANISATION).books.contacts] == names


def test_a_contact_that_someone_entered_by_hand_is_not_taken_over() -> None:
    stand = CASE.stand()
    books = stand.app(ORGANISATION).books
    stand.act("seed", {"invoices_count": 1, "organisation": ORGANISATION})
    by_hand = next(iter(books.contacts))
    ours = replace(customer(1), name=by_hand["Name"])
    (remote,) = remotes_of(CASE.connect(stand).push_customers([Push(ours)], attempt="1"))
    assert remote.id != by_hand["ContactID"]


def test_a_contact_made_by_an_attempt_that_was_forgotten_is_taken_up_and_brought_up_to_date() -> (
    None
):
    stand = CASE.stand()
    client = CASE.connect(stand)
    (before,) = remotes_of(client.push_customers([Push(customer(1))], attempt="1"))
    moved = replace(customer(1), phone="0800 1")
    (after,) = remotes_of(client.push_customers([Push(moved)], attempt="another"))
    assert after.id == before.id
    (kept,) = stand.app(ORGANISATION).books.contacts
    assert "0800 1" in str(kept["Phones"])


def test_a_contact_says_only_what_it_should() -> None:
    client, network = xero({"PUT Contacts": fixture("contacts_created")})
    ada = replace(customer(1), email="ada@müller.example", name="A" * 300, tax_number="DE1")
    assert remotes_of(client.push_customers([Push(ada), Push(customer(2))], attempt="1"))
    element = sent(network, "Contacts")[0]
    assert set(element) == {
        "ContactNumber", "Name", "FirstName", "LastName", "EmailAddress", "TaxNumber", "Phones",
        "Addresses",
    }  # fmt: skip
    assert element["EmailAddress"] == "ada@xn--mller-kva.example"
    assert element["Name"] == "A" * 254 + "…"


@pytest.mark.parametrize("address", ["ádá@example.org", "nobody", "@", "a@" + "b" * 300, ""])
def test_an_e_mail_address_that_xero_cannot_hold_is_left_out(address: str) -> None:
    client, network = xero({"PUT Contacts": fixture("contacts_created")})
    people = [Push(replace(customer(1), email=address)), Push(customer(2))]
    assert remotes_of(client.push_customers(people, attempt="1"))
    assert sent(network, "Contacts")[0]["EmailAddress"] == ""


def test_an_inactive_customer_is_archived_and_comes_back() -> None:
    stand = CASE.stand()
    client = CASE.connect(stand)
    (remote,) = remotes_of(client.push_customers([Push(customer(1))], attempt="1"))
    for is_active, status in ((False, "ARCHIVED"), (True, "ACTIVE")):
        push = Push(replace(customer(1), is_active=is_active), remote)
        assert remotes_of(client.push_customers([push], attempt=status))
        (kept,) = stand.app(ORGANISATION).books.contacts
        assert kept["ContactStatus"] == status


def test_one_refused_contact_does_not_spoil_its_batch() -> None:
    answers: Answers = {
        "PUT Contacts": fixture("contacts_one_refused"),
        "GET Contacts": b'{"Contacts":[]}',
    }
    client, network = xero(answers)
    people = [Push(customer(1)), Push(customer(2))]
    first, second = client.push_customers(people, attempt="1")
    assert isinstance(first, Remote)
    assert isinstance(second, Garbled)
    assert len([r for r in network.requests() if r.method == "PUT"]) == 2


def test_a_lost_answer_of_a_second_try_leaves_the_first_its_own() -> None:
    stand = CASE.stand()
    client = CASE.connect(stand)
    people = [Push(replace(customer(n), name="Anna Berg")) for n in (1, 2)]
    network = _Second(stand)
    client = CASE.connect(stand, network=network)
    first, second = client.push_customers(people, attempt="1")
    assert isinstance(first, Remote)
    assert not isinstance(second, Remote)
    assert client.find_customers([people[1].record]) != [None]


class _Second(httpx2.BaseTransport):
    """The answer to the second write is lost."""

    def __init__(self, stand: XeroStand) -> None:
        self._stand = stand
        self._inner = transport(stand)
        self._writes = 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "PUT":
            self._writes += 1
            if self._writes == 2:
                self._stand.faults.switch_on(Fault(kind=FaultKind.LOST_ANSWER, times=1))
        return self._inner.handle_request(request)
