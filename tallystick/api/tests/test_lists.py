from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as of_hypothesis
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from tallystick.accounts.models import Account
from tallystick.api.tests.desk import Caller, Desk, Told
from tallystick.billing import payments
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import making
from tallystick.kit.clock import VirtualClock

pytestmark = pytest.mark.django_db
ORDERS = ["created_at", "due_date", "amount", "number"]
_PATIENT = of_hypothesis(
    deadline=None,
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def pages(caller: Caller, path: str, **query: Any) -> Iterator[list[str]]:
    """The ids of every page, first to last."""
    answer = caller.get(path, **query)
    while True:
        assert answer.status == 200, answer.body
        yield answer.ids
        if answer.body["next"] is None:
            return
        parts = urlsplit(answer.body["next"])
        answer = caller.get(parts.path, **_grouped(parts.query))


def whole(caller: Caller, path: str = "invoices/", **query: Any) -> list[str]:
    return [each for page in pages(caller, path, **query) for each in page]


def make(account: Account, price: str, *, due: int | None = None, status: str = "") -> Invoice:
    """An invoice like others: amounts and days that many share."""
    today = account.website.today()
    details: dict[str, Any] = {} if due is None else {"due_date": today + timedelta(days=due)}
    if status == "draft":
        return making.draft(account, making.line(price), **details)
    invoice = making.issued(account, making.line(price), **details)
    if status == "paid":
        payments.mark_paid(invoice, by=None)
    elif status == "void":
        invoice.void(reason="Test.")
    return invoice


@pytest.fixture(autouse=True)
def _unhurried(settings: Settings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 100_000


class TestPages:
    @_PATIENT
    @given(
        rows=st.lists(
            st.tuples(
                st.sampled_from(["1", "2.50", "10"]),
                st.sampled_from([0, 1, 30]),
                st.sampled_from(["", "draft", "paid", "void"]),
            ),
            max_size=6,
        ),
        order=st.sampled_from(ORDERS),
        back=st.booleans(),
        limit=st.integers(1, 4),
        picked=st.sampled_from([[], ["open"], ["draft", "paid"]]),
    )
    def test_every_row_once_in_order_and_back_again(
        self,
        desk: Desk,
        rows: list[tuple[str, int, str]],
        order: str,
        back: bool,
        limit: int,
        picked: list[str],
    ) -> None:
        for price, due, status in rows:
            make(desk.account, price, due=due or None, status=status)
        caller = desk.as_superadmin()
        query: dict[str, Any] = {"ordering": f"{'-' if back else ''}{order}", "limit": limit}
        query |= {"status": picked} if picked else {}
        seen = list(pages(caller, "invoices/", **query))
        flat = [each for page in seen for each in page]
        there = Invoice.objects.everywhere()
        there = there.filter(status__in=picked) if picked else there
        assert sorted(flat) == sorted(str(uid) for uid in there.values_list("uid", flat=True))

        def key(uid: str) -> tuple[object, int]:
            row = Invoice.objects.everywhere().get(uid=uid)
            value = getattr(row, order)
            if order == "due_date":
                value = value or date.max
            return value, row.pk

        assert flat == sorted(flat, key=key, reverse=back)
        assert self.backwards(caller, query) == flat[::-1]

    def backwards(self, caller: Caller, query: dict[str, Any]) -> list[str]:
        answer = caller.get("invoices/", **query)
        while answer.body["next"]:
            answer = self.follow(caller, answer.body["next"])
        ids = answer.ids[::-1]
        while answer.body["previous"]:
            answer = self.follow(caller, answer.body["previous"])
            ids += answer.ids[::-1]
        return ids

    def follow(self, caller: Caller, address: str) -> Told:
        parts = urlsplit(address)
        return caller.get(parts.path, **_grouped(parts.query))

    def test_stay_the_same_while_rows_arrive(self, desk: Desk) -> None:
        for number in range(4):
            make(desk.account, str(number + 1))
        expected = whole(desk.as_admin())
        turning = pages(desk.as_admin(), "invoices/", limit=2)
        seen = list(next(turning))
        make(desk.account, "7")
        seen += [each for page in turning for each in page]
        assert seen == expected

    def test_a_cursor_is_good_for_its_question_only(self, desk: Desk) -> None:
        make(desk.account, "1")
        admin = desk.as_admin()
        cursor = dict(parse_qsl(urlsplit(admin.get("invoices/", limit=1).body["next"]).query))
        for query in (
            cursor | {"status": "open"},
            cursor | {"ordering": "amount"},
            cursor | {"cursor": cursor["cursor"][:-2] + "xx"},
            cursor | {"cursor": "nonsense"},
        ):
            answer = admin.get("invoices/", **query)
            assert (answer.status, answer.code) == (422, "bad_cursor")
        assert desk.as_client().get("invoices/", **cursor).code == "bad_cursor"

    def test_are_of_1_to_100(self, desk: Desk) -> None:
        for limit in ("0", "101", "-1", "ten", "1" * 5000, "٣"):
            assert desk.as_admin().get("invoices/", limit=limit).code == "bad_query"

    def test_are_counted_when_asked(self, desk: Desk) -> None:
        assert "count" not in desk.as_admin().get("invoices/").body
        count = desk.as_admin().get("invoices/", count="true").body["count"]
        assert count == {"value": Invoice.objects.everywhere().count(), "is_exact": True}

    def test_are_counted_to_a_bound(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tallystick.api.paging.COUNTED", 2)
        count = desk.as_superadmin().get("invoices/", count="true").body["count"]
        assert count == {"value": 2, "is_exact": False}

    @pytest.mark.parametrize(
        "path", ["invoices/", "payments/", "credit-notes/", "wallets/", "clients/", "products/"]
    )
    def test_take_as_many_queries_whatever_they_hold(
        self, desk: Desk, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(12):
            other = Desk.at(desk.website)
            del other
        admin = desk.as_admin()
        # Session and user, throttle, standing, websites, rows, clients.
        with django_assert_max_num_queries(7):
            assert admin.get(path, limit=10).status == 200


class TestFilters:
    def ask(self, desk: Desk, **query: Any) -> set[str]:
        return set(whole(desk.as_superadmin(), **query))

    def uids(self, *invoices: Invoice) -> set[str]:
        return {str(invoice.uid) for invoice in invoices}

    def test_by_status_and_client_and_website(self, desk: Desk) -> None:
        other = Desk.at(making.website())
        assert self.ask(desk, status="draft") == self.uids(desk.draft, other.draft)
        mine = self.ask(desk, client=str(desk.account.uid))
        assert self.uids(desk.draft, desk.invoice, desk.paid) < mine
        assert not mine & self.uids(other.invoice)
        assert mine == self.ask(desk, website=str(desk.website.uid))
        assert self.ask(desk, website=str(other.account.uid)) == set()

    def test_by_days_and_amount_and_currency(self, desk: Desk) -> None:
        soon, late = make(desk.account, "5", due=1), make(desk.account, "900", due=90)
        today = desk.website.today()
        nearly = {"due_to": today + timedelta(days=2)}
        assert self.ask(desk, **nearly) == self.uids(soon)
        assert self.ask(desk, due_from=today + timedelta(days=60)) == self.uids(late)
        assert self.ask(desk, amount_min="899.99") == self.uids(late)
        assert self.ask(desk, amount_max="5") == self.uids(soon)
        assert self.ask(desk, currency="USD") == set()
        assert self.uids(late, soon) < self.ask(desk, currency="EUR")
        assert self.ask(desk, issued_from=today + timedelta(days=1)) == set()
        assert self.uids(soon) < self.ask(desk, issued_from=today, issued_to=today)
        assert self.ask(desk, created_to="2020-01-01T00:00:00Z") == set()

    def test_by_being_overdue(self, desk: Desk, now: VirtualClock) -> None:
        late = make(desk.account, "5", due=1)
        now.advance(timedelta(days=3))
        assert self.ask(desk, overdue="true") == self.uids(late)
        assert not self.ask(desk, overdue="false") & self.uids(late)
        everything = self.ask(desk)
        assert everything == self.ask(desk, overdue="false") | self.uids(late)
        assert desk.as_admin().get(f"invoices/{late.uid}/").body["is_overdue"] is True

    def test_by_words(self, desk: Desk) -> None:
        titled = making.issued(desk.account, title="Éclair 100% pure_")
        person = desk.client_user
        for term in ("éclair", "ÉCLAIR 100%", "Éclair 100% pure_") if _folds() else ("Éclair",):
            assert self.ask(desk, search=term) == self.uids(titled)
        assert self.ask(desk, search="Éclair 1000") == set()
        assert self.ask(desk, search=titled.number.lower()) == self.uids(titled)
        assert self.ask(desk, search=titled.reference_id[:9]) == self.uids(titled)
        for term in (person.email[:8], "ada"):
            assert self.uids(desk.invoice, desk.draft, titled) <= self.ask(desk, search=term)
        assert self.ask(desk, search="nobody") == set()

    def test_nothing_is_found_at_several_websites_either(self, desk: Desk) -> None:
        Desk.at(making.website())
        assert self.ask(desk, search="nobody") == set()
        assert self.ask(desk, search="nobody", status="open") == set()

    def test_another_tenants_are_not_found(self, desk: Desk) -> None:
        other = Desk.at(making.website())
        for search in (other.invoice.reference_id, other.client_user.email):
            assert desk.as_admin().get("invoices/", search=search).ids == []
        assert desk.as_admin().get("invoices/", client=str(other.account.uid)).ids == []
        assert desk.as_admin().get("clients/", search=other.client_user.email).ids == []

    def test_what_cannot_be_read_is_refused(self, desk: Desk) -> None:
        for query in (
            {"status": "paidd"},
            {"client": "1"},
            {"due_from": "soon"},
            {"due_from": "0001-01-01"},
            {"created_from": "9999-12-31T23:59:59-12:00"},
            {"amount_min": "NaN"},
            {"amount_min": "1e400"},
            {"currency": "euro"},
            {"ordering": "password"},
            {"search": "x"},
            {"statuss": "paid"},
            {"search": "a\0b"},
        ):
            assert desk.as_admin().get("invoices/", **query).status == 422, query


def _folds() -> bool:
    from django.db import connection

    return connection.vendor == "postgresql"


def _grouped(query: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(query):
        found.setdefault(name, []).append(value)
    return found


def test_amounts_are_exact(desk: Desk) -> None:
    invoice = make(desk.account, "0.1")
    assert Decimal(desk.as_admin().get(f"invoices/{invoice.uid}/").body["amount"]) == Decimal("0.1")
