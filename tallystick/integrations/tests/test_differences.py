"""What was changed there after we sent it is shown in words, and either side can be taken."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick.accounts.models import Account, Organisation, Website
from tallystick.accounts.personal import Whom
from tallystick.billing.models import Product
from tallystick.events.models import Event
from tallystick.integrations import bringing, differences, erasure
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import links_of
from tallystick.integrations.remote_records import RemoteRecord, keep
from tallystick.integrations.sync import CannotApply
from tallystick.integrations.tests.ninja import NinjaSite
from tallystick.kit.clock import VirtualClock
from tallystick.people.models import User
from tallystick.ports.records import (
    Address,
    Customer,
    Kind,
    Remote,
    RemoteCustomer,
    RemoteProduct,
)
from tallystick.ports.records import Product as ProductRecord

LATER = timedelta(minutes=1)
AT = datetime(2026, 3, 1, tzinfo=UTC)
ANNA = Customer(
    "c-1", "Anna Becker", "anna@example.org", phone="+49 30 1", address=Address(city="Berlin")
)
THERE = RemoteCustomer(
    Remote("r"), "Anna Becker", AT, email="Anna@example.org", phone="+49 30 1",
    address=Address(city="Berlin"),
)  # fmt: skip


def superadmin() -> User:
    return User.objects.create_user("root", "root@example.org", is_superuser=True)


def test_the_same_is_no_difference() -> None:
    assert differences.in_words(ANNA, THERE) == ""
    crown = ProductRecord("p-1", "crown", "Crown", Decimal("10.00"), "EUR", description="Of gold")
    there = RemoteProduct(
        Remote("r"), "crown", AT, description="Of gold\nTeeth", price=Decimal("10.000000")
    )
    assert differences.in_words(crown, there) == ""
    dearer = replace(there, price=Decimal(12))
    assert differences.in_words(crown, dearer) == "Price 12.00 there, 10.00 here."
    assert differences.in_words(crown, replace(there, description="")) == (
        "Description empty there, “Of gold” here."
    )


def test_a_price_in_another_currency_is_not_compared() -> None:
    crown = ProductRecord("p-1", "crown", "Crown", Decimal("10.00"), "USD")
    there = RemoteProduct(Remote("r"), "crown", AT, price=Decimal(0), currency="EUR")
    assert differences.in_words(crown, there) == ""


def test_what_differs_is_named_with_both_values() -> None:
    there = replace(THERE, phone="", address=Address(city="Kassel"))
    assert differences.in_words(ANNA, there) == (
        "Phone empty there, “+49 30 1” here. City “Kassel” there, “Berlin” here."
    )
    assert differences.in_words(ANNA, replace(there, is_active=False)) == differences.ARCHIVED
    gone = replace(ANNA, is_active=False)
    assert differences.in_words(gone, replace(THERE, is_active=False)) == ""


PRICES = st.integers(0, 10**12).map(lambda number: Decimal(number).scaleb(-4))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(), st.text(), PRICES, PRICES)
def test_it_says_something_exactly_where_fields_differ(
    name: str, other: str, price: Decimal, dearer: Decimal
) -> None:
    ours = ProductRecord("p-1", "crown", name, price, "EUR")
    theirs = RemoteProduct(Remote("r"), "crown", AT, name=other, price=dearer)
    told = differences.between(ours, theirs)
    assert {field for field, *_ in told} <= {"Name", "Price"}
    assert ("Price" in {field for field, *_ in told}) == (price != dearer)
    assert all(there != here for _, there, here in told)
    assert bool(differences.in_words(ours, theirs)) == bool(told)


class TestAtInvoiceNinja:
    @pytest.fixture
    def account(self, ninja: NinjaSite) -> Account:
        account = ninja.customer("anna")
        ninja.serve()
        return account

    def difference(self, ninja: NinjaSite, kind: Kind = Kind.CUSTOMER) -> str:
        return ninja.link(kind).difference

    def test_what_we_sent_ourselves_is_none(
        self, ninja: NinjaSite, account: Account, now: VirtualClock
    ) -> None:
        ninja.product("Crown")
        for _ in range(3):
            ninja.catch_up(now)
        assert self.difference(ninja) == self.difference(ninja, Kind.PRODUCT) == ""
        assert RemoteRecord.objects.filter(match="matched").count() == 2

    def test_a_change_there_is_shown_and_stays_shown(
        self, ninja: NinjaSite, account: Account, now: VirtualClock
    ) -> None:
        ninja.catch_up(now)
        row = ninja.row("clients", id_number=account.customer_key)
        ninja.stand.edit_client(row["id"], {"name": "Anna Roth"})
        for _ in range(2):
            ninja.catch_up(now)
            assert self.difference(ninja) == "Name “Anna Roth” there, “Anna Becker” here."
        assert ninja.row("clients", id_number=account.customer_key)["name"] == "Anna Roth"

    def test_ours_can_be_sent_again(
        self, ninja: NinjaSite, account: Account, now: VirtualClock
    ) -> None:
        row = ninja.row("clients", id_number=account.customer_key)
        now.advance(LATER)
        ninja.stand.edit_client(row["id"], {"name": "Anna Roth"})
        ninja.catch_up(now)
        assert self.difference(ninja)
        type(ninja.link(Kind.CUSTOMER)).objects.all().revive(force=True)
        ninja.serve()
        ninja.catch_up(now)
        assert self.difference(ninja) == ""
        assert ninja.row("clients", id_number=account.customer_key)["name"] == "Anna Becker"

    def test_theirs_can_be_taken(
        self, ninja: NinjaSite, account: Account, now: VirtualClock
    ) -> None:
        row = ninja.row("clients", id_number=account.customer_key)
        ninja.stand.edit_client(row["id"], {"name": "Anna Roth", "city": "Kassel"})
        now.advance(LATER)
        ninja.stand.edit_client(row["id"], {"postal_code": "34117"})
        ninja.catch_up(now)
        changed = bringing.take_theirs(ninja.link(Kind.CUSTOMER), superadmin())
        assert changed == ["last_name", "city", "postal_code", "country"]
        account = Account.objects.of(ninja.website).get(pk=account.pk)
        assert (account.name, account.city, account.postal_code) == ("Anna Roth", "Kassel", "34117")
        event = Event.objects.of_subject(account).filter(kind="account.taken_over").get()
        assert "Kassel" not in event.change
        for _ in range(2):
            ninja.catch_up(now)
        assert self.difference(ninja) == ""

    def test_an_address_that_another_has_is_not_taken(
        self, ninja: NinjaSite, account: Account, now: VirtualClock
    ) -> None:
        User.objects.create_user("otto", "otto@example.org")
        row = ninja.row("clients", id_number=account.customer_key)
        contact = row["contacts"][0]
        now.advance(LATER)
        ninja.stand.edit_client(row["id"], {"contacts": [{**contact, "email": "otto@example.org"}]})
        ninja.catch_up(now)
        with pytest.raises(CannotApply, match="e-mail"):
            bringing.take_theirs(links_of(account).get(), superadmin())

    def test_what_is_empty_there_does_not_empty_ours(
        self, ninja: NinjaSite, account: Account, now: VirtualClock
    ) -> None:
        person = User.objects.get()
        person.phone_number = "+49 30 1"
        person.save()
        account.tax_number = "DE123456789"
        account.save()
        ninja.serve()
        row = ninja.row("clients", id_number=account.customer_key)
        now.advance(LATER)
        contact = {**row["contacts"][0], "email": "", "phone": "", "last_name": ""}
        emptied = {"vat_number": "", "phone": "", "name": "Anna", "contacts": [contact]}
        ninja.stand.edit_client(row["id"], emptied)
        ninja.catch_up(now)
        assert "E-mail address empty there" in self.difference(ninja)
        bringing.take_theirs(ninja.link(Kind.CUSTOMER), superadmin())
        account = Account.objects.of(ninja.website).get(pk=account.pk)
        assert (account.email, account.tax_number) == ("anna@example.org", "DE123456789")
        assert User.objects.get(pk=person.pk).phone_number == "+49 30 1"

    def test_a_price_in_another_currency_is_not_taken(
        self, ninja: NinjaSite, now: VirtualClock
    ) -> None:
        product = ninja.product("Crown", "10.00")
        Product.objects.of(ninja.website).update(currency="USD")
        ninja.serve()
        row = ninja.row("products", product_key=product.slug)
        now.advance(LATER)
        ninja.stand.edit_product(row["id"], {"notes": "Of gold"})
        ninja.catch_up(now)
        assert "Price" not in self.difference(ninja, Kind.PRODUCT)
        bringing.take_theirs(ninja.link(Kind.PRODUCT), superadmin())
        product.refresh_from_db()
        assert (product.price, product.currency) == (Decimal(10), "USD")
        assert product.description == "Of gold"

    def test_archived_there(self, ninja: NinjaSite, account: Account, now: VirtualClock) -> None:
        row = ninja.row("clients", id_number=account.customer_key)
        now.advance(LATER)
        ninja.stand.archive_client(row["id"])
        ninja.catch_up(now)
        assert self.difference(ninja) == "It was archived there."

    def test_a_price_there(self, ninja: NinjaSite, now: VirtualClock) -> None:
        product = ninja.product("Crown", "10.00")
        ninja.serve()
        row = ninja.row("products", product_key=product.slug)
        now.advance(LATER)
        ninja.stand.edit_product(row["id"], {"price": "12"})
        ninja.catch_up(now)
        assert self.difference(ninja, Kind.PRODUCT) == "Price 12.00 there, 10.00 here."
        bringing.take_theirs(ninja.link(Kind.PRODUCT), superadmin())
        assert Product.objects.of(ninja.website).get().price == Decimal(12)

    def test_an_erased_person_does_not_come_back(
        self, ninja: NinjaSite, account: Account, now: VirtualClock
    ) -> None:
        ninja.catch_up(now)
        assert ninja.record(kind="contacts").name == "Anna Becker"
        whom = Whom.find("anna@example.org")
        told = StringIO()
        erasure.export(whom, told)
        assert json.loads(told.getvalue())["records_outside"][0]["email"] == "anna@example.org"
        erasure.erase(whom, reason="asked for")
        for _ in range(2):
            ninja.catch_up(now)
        record = ninja.record(kind="contacts")
        assert (record.name, record.email, record.document) == ("", "", {})
        assert self.difference(ninja) == ""

    def test_erasing_leaves_others_alone(
        self, ninja: NinjaSite, account: Account, now: VirtualClock
    ) -> None:
        """The same address at another website, and at somebody else's counterpart here."""
        harbour = Website.objects.create(
            name="Harbour", domain="harbour.example", currency="GBP", country="GB"
        )
        there = Connection.objects.create(website=harbour, type="INVOICE_NINJA", name="There")
        club = Organisation.objects.create(website=ninja.website, name="Club")
        Account.open_for_organisation(club)
        ninja.serve()
        link = links_of(Account.objects.of(ninja.website).get(organisation=club)).get()
        page = [replace(THERE, remote=Remote("other")), replace(THERE, remote=Remote("free"))]
        keep(there, Kind.CUSTOMER, page)
        keep(ninja.connection, Kind.CUSTOMER, page)
        RemoteRecord.objects.filter(connection=ninja.connection, remote_id="other").update(
            match="matched", link=link, model=link.model, local_id=link.local_id
        )
        erasure.erase(Whom.find("anna@example.org"), reason="asked for")
        erased = RemoteRecord.objects.exclude(erased_at=None)
        assert list(erased.values_list("connection", "remote_id")) == [
            (ninja.connection.pk, "free")
        ]
