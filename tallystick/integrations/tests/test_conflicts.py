"""Changed there, or on both sides: what becomes of it is said by the connection's rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from tallystick.accounts.models import Account, Membership, Organisation, Website
from tallystick.accounts.personal import Whom
from tallystick.accounts.roles import Role
from tallystick.billing.models import Product
from tallystick.events.models import Event
from tallystick.integrations import bringing, conflicts, erasure
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.pull import Catchup
from tallystick.integrations.pulls import Pull
from tallystick.integrations.retrying import retry
from tallystick.integrations.sync import CannotApply
from tallystick.integrations.tests.ninja import NinjaSite
from tallystick.integrations.turns import Turn
from tallystick.kit.clock import VirtualClock
from tallystick.people.models import User
from tallystick.ports.records import Kind
from tallystick.ports.sandboxing.faults import Fault, FaultKind
from tallystick.queue.leases import owner_name
from tallystick.queue.rows import State

Rule = Connection.ConflictRule
MINUTE = timedelta(minutes=1)
every_rule = pytest.mark.parametrize("rule", Rule.values)


class Ruled:
    """Anna and a crown, here and there, and what is done to them on both sides."""

    def __init__(self, site: NinjaSite, clock: VirtualClock) -> None:
        self.site, self.clock = site, clock
        self.account = site.customer("anna")
        self.crown = site.product("Crown", "10.00")
        site.serve()

    def by(self, rule: str) -> Ruled:
        Connection.objects.everywhere().update(conflict_rule=rule)
        return self

    # -- here

    def anna(self) -> Account:
        return Account.objects.everywhere().select_related("user").get(pk=self.account.pk)

    def edit_here(self, **fields: Any) -> None:
        account = self.anna()
        for name, value in fields.items():
            setattr(account, name, value)
        account.save()

    def price_here(self, price: str) -> None:
        product = Product.objects.everywhere().get(pk=self.crown.pk)
        product.price = Decimal(price)
        product.save()

    def link(self, kind: Kind = Kind.CUSTOMER) -> Link:
        return self.site.link(kind)

    # -- there

    def row(self) -> dict[str, Any]:
        return self.site.row("clients", id_number=self.account.customer_key)

    def product_row(self) -> dict[str, Any]:
        return self.site.row("products", product_key=self.crown.slug)

    def edit_there(self, **fields: Any) -> None:
        self.clock.advance(MINUTE)
        self.site.stand.edit_client(self.row()["id"], fields)

    def mail_there(self, email: str) -> None:
        self.edit_there(contacts=[{**self.row()["contacts"][0], "email": email}])

    def price_there(self, price: str) -> None:
        self.clock.advance(MINUTE)
        self.site.stand.edit_product(self.product_row()["id"], {"price": price})

    # -- between

    def catch_up(self, times: int = 1) -> None:
        for _ in range(times):
            self.site.catch_up(self.clock)

    def hear(self) -> None:
        """Read what changed there, and send nothing."""
        self.clock.advance(MINUTE)
        Pull.objects.update(due_at=self.clock.now())
        connection = Connection.objects.everywhere().get(pk=self.site.connection.pk)
        turn = Turn(connection, owner_name())
        with turn.held():
            Catchup(turn).run()

    def sent(self, act: Callable[[], Any], noun: str = "clients") -> int:
        """How often something of these was changed there while `act` was done."""
        before = len(self.site.network.passed)
        act()
        made = self.site.network.requests()[before:]
        return sum(one.method == "PUT" and f"/{noun}/" in one.url.path for one in made)

    def settle(self, times: int = 3) -> int:
        """Nothing is left to do; how often something was sent for that."""
        return self.sent(lambda: self.catch_up(times))


@pytest.fixture
def ruled(ninja: NinjaSite, now: VirtualClock) -> Ruled:
    return Ruled(ninja, now)


def superadmin() -> User:
    known = User.objects.filter(username="root").first()
    return known or User.objects.create_user("root", "root@example.org", is_superuser=True)


WAITS = "It was changed there as well: city. Take theirs, or send ours."


class TestAsk:
    def test_an_edit_here_waits_until_somebody_decides(self, ruled: Ruled) -> None:
        ruled.edit_there(city="Kassel")
        ruled.catch_up()
        ruled.edit_here(city="Berlin")
        assert ruled.sent(lambda: ruled.catch_up(2)) == 0
        link = ruled.link()
        assert (link.state, link.last_error) == (State.DUE, WAITS)
        assert link.difference == "City “Kassel” there, “Berlin” here."
        assert ruled.row()["city"] == "Kassel"

    def test_send_ours(self, ruled: Ruled) -> None:
        ruled.edit_there(city="Kassel")
        ruled.catch_up()
        ruled.edit_here(city="Berlin")
        ruled.catch_up()
        retry(Link.objects.all())
        assert ruled.sent(ruled.site.serve) == 0
        retry(Link.objects.all(), force=True)
        assert ruled.sent(ruled.site.serve) == 1
        assert ruled.row()["city"] == "Berlin"
        assert (ruled.link().state, ruled.link().difference) == (State.DONE, "")
        assert ruled.settle() == 0

    def test_take_theirs_and_what_is_left_of_ours_goes(self, ruled: Ruled) -> None:
        ruled.edit_here(tax_number="DE123456789", line1="Weg 1")
        ruled.site.serve()
        ruled.edit_there(city="Kassel", vat_number="")
        ruled.catch_up()
        ruled.edit_here(city="Berlin")
        ruled.catch_up()
        assert "city" in bringing.take_theirs(ruled.link(), superadmin())
        assert ruled.sent(ruled.site.serve) == 1
        assert (ruled.anna().city, ruled.row()["city"]) == ("Kassel", "Kassel")
        assert ruled.row()["vat_number"] == "DE123456789"
        assert ruled.settle() == 0

    def test_what_is_taken_is_not_sent_straight_back(self, ruled: Ruled) -> None:
        ruled.edit_there(city="Kassel", vat_number="DE9")
        ruled.catch_up()
        bringing.take_theirs(ruled.link(), superadmin())
        assert ruled.settle() == 0
        assert (ruled.link().state, ruled.link().difference) == (State.DONE, "")

    def test_what_was_decided_is_not_decided_again(self, ruled: Ruled) -> None:
        with pytest.raises(CannotApply, match="does not differ"):
            bringing.take_theirs(ruled.link(), superadmin())

    def test_an_edit_that_ends_the_difference_goes_on(self, ruled: Ruled) -> None:
        ruled.edit_there(city="Kassel")
        ruled.catch_up()
        ruled.edit_here(city="Kassel")
        ruled.catch_up()
        assert (ruled.link().state, ruled.link().difference) == (State.DONE, "")

    def test_so_does_an_edit_there(self, ruled: Ruled) -> None:
        ruled.edit_there(city="Kassel")
        ruled.catch_up()
        ruled.edit_here(tax_number="DE123456789")
        ruled.catch_up()
        ruled.edit_there(city="")
        ruled.catch_up(2)
        assert ruled.link().difference == ""
        assert ruled.row()["vat_number"] == "DE123456789"

    def test_what_was_archived_there_waits_too(self, ruled: Ruled) -> None:
        ruled.clock.advance(MINUTE)
        ruled.site.stand.archive_client(ruled.row()["id"])
        ruled.catch_up()
        ruled.edit_here(city="Berlin")
        assert ruled.settle() == 0
        assert ruled.link().last_error.startswith("It was changed there as well: archived")
        with pytest.raises(CannotApply, match="do the same here"):
            bringing.take_theirs(ruled.link(), superadmin())
        assert User.objects.get(username="anna").is_active
        retry(Link.objects.all(), force=True)
        ruled.catch_up()
        assert not ruled.row()["archived_at"]
        assert ruled.link().difference == ""

    def test_what_was_restored_there_is_a_difference(self, ruled: Ruled) -> None:
        Product.objects.everywhere().get().delete()
        product = ruled.crown = ruled.site.product("Bridge")
        ruled.site.serve()
        product.is_active = False
        product.save()
        ruled.site.serve()
        assert ruled.product_row()["archived_at"]
        ruled.clock.advance(MINUTE)
        ruled.site.stand.company.restore("products", ruled.product_row())
        ruled.catch_up()
        link = Link.objects.get(local_id=str(product.pk), kind="products")
        assert link.difference == "It is active there, not here."
        assert bringing.take_theirs(link, superadmin()) == ["is_active"]

    def test_an_erased_person_goes_whatever_differs(self, ruled: Ruled) -> None:
        ruled.edit_there(city="Kassel")
        ruled.catch_up()
        erasure.erase(Whom.find("anna@example.org"), reason="asked for")
        assert (ruled.link().seen, ruled.link().difference) == ("", "")
        ruled.catch_up()
        assert ruled.row()["archived_at"]
        assert "Becker" not in ruled.row()["name"]

    def test_what_is_deleted_here_is_put_away_there(self, ruled: Ruled) -> None:
        ruled.price_there("12")
        ruled.catch_up()
        Product.objects.everywhere().get().delete()
        ruled.catch_up()
        assert ruled.product_row()["archived_at"]
        assert ruled.link(Kind.PRODUCT).difference == ""


class TestLocalWins:
    def test_ours_is_sent_once_for_each_change_there(self, ruled: Ruled) -> None:
        ruled.by("local_wins")
        for city in ("Kassel", "Köln"):
            ruled.edit_there(city=city)
            assert ruled.settle() == 1
            assert ruled.row()["city"] == ""
            assert ruled.link().difference == ""

    def test_the_log_says_so(self, ruled: Ruled) -> None:
        ruled.by("local_wins").edit_there(city="Kassel")
        ruled.catch_up()
        log = SyncLog.objects.exclude(notes=[]).get()
        assert (log.direction, log.status, log.errors) == ("pull", "success", [])
        assert log.notes == [f"{ruled.link()}: It differed there: city. Ours is sent again."]
        told = Event.objects.of_subject(ruled.site.connection).get(kind="links.sent_again")
        assert told.actor_kind == "provider"

    def test_what_was_archived_there_comes_back(self, ruled: Ruled) -> None:
        ruled.by("local_wins").clock.advance(MINUTE)
        ruled.site.stand.archive_client(ruled.row()["id"])
        ruled.catch_up(2)
        assert not ruled.row()["archived_at"]

    def test_what_was_shown_before_holds_nothing_up(self, ruled: Ruled) -> None:
        ruled.edit_there(city="Kassel")
        ruled.catch_up()
        ruled.by("local_wins").edit_here(city="Berlin")
        ruled.catch_up()
        assert ruled.row()["city"] == "Berlin"
        assert ruled.link().difference == ""


class TestRemoteWins:
    def test_theirs_is_taken_by_the_provider(self, ruled: Ruled) -> None:
        ruled.by("remote_wins").edit_there(name="Anna Roth", city="Kassel")
        assert ruled.settle() == 0
        assert (ruled.anna().name, ruled.anna().city) == ("Anna Roth", "Kassel")
        assert (ruled.link().state, ruled.link().difference) == (State.DONE, "")
        told = Event.objects.of_subject(ruled.anna()).get(kind="account.taken_over")
        assert (told.actor_kind, told.actor_label) == ("provider", "Invoice Ninja")
        log = SyncLog.objects.exclude(notes=[]).get()
        assert log.notes == [f"{ruled.link()}: Theirs was taken over: last_name, city, country."]

    def test_of_products_too(self, ruled: Ruled) -> None:
        ruled.by("remote_wins").price_there("12.5")
        assert ruled.sent(lambda: ruled.catch_up(3), "products") == 0
        assert Product.objects.everywhere().get().price == Decimal("12.5")
        ruled.clock.advance(MINUTE)
        ruled.site.stand.archive_product(ruled.product_row()["id"])
        assert ruled.sent(lambda: ruled.catch_up(3), "products") == 0
        assert not Product.objects.everywhere().get().is_active

    @pytest.mark.parametrize("above", ["superuser", "staff", "elsewhere"])
    def test_nobody_is_taken_over_unseen(self, ruled: Ruled, above: str) -> None:
        person = ruled.anna().user
        assert person
        if above == "elsewhere":
            harbour = Website.objects.create(
                name="Harbour", domain="harbour.example", currency="GBP", country="GB"
            )
            Membership.objects.create(user=person, website=harbour, role=Role.CLIENT)
        else:
            User.objects.filter(pk=person.pk).update(**{f"is_{above}": True})
        ruled.by("remote_wins").edit_there(city="Kassel")
        ruled.catch_up()
        assert ruled.anna().city == ""
        assert ruled.link().difference.startswith("City “Kassel” there, empty here. They ")
        ruled.edit_here(city="Berlin")
        assert ruled.settle() == 0
        assert ruled.link().last_error == WAITS

    def test_the_address_one_signs_in_by_is_left(self, ruled: Ruled) -> None:
        ruled.by("remote_wins").mail_there("mine@example.org")
        ruled.edit_there(city="Kassel")
        ruled.catch_up()
        assert (ruled.anna().city, ruled.anna().email) == ("Kassel", "anna@example.org")
        assert ruled.link().difference == (
            "E-mail address “mine@example.org” there, “anna@example.org” here. " + conflicts.KEPT
        )
        assert ruled.settle() == 0
        assert bringing.take_theirs(ruled.link(), superadmin()) == ["email"]
        assert ruled.settle() == 0
        assert ruled.anna().email == "mine@example.org"

    def test_what_cannot_be_written_is_left_with_the_reason(self, ruled: Ruled) -> None:
        club = Organisation.objects.create(website=ruled.site.website, name="Club")
        ruled.account = Account.open_for_organisation(club)
        ruled.site.serve()
        ruled.by("remote_wins").edit_there(city="Kassel", postal_code="3" * 21)
        ruled.catch_up()
        link = Link.objects.get(local_id=str(ruled.account.pk), kind="contacts")
        assert "It cannot be taken over: postal_code:" in link.difference
        assert ruled.anna().city == ""

    def test_what_was_archived_there_is_left(self, ruled: Ruled) -> None:
        ruled.by("remote_wins").clock.advance(MINUTE)
        ruled.site.stand.archive_client(ruled.row()["id"])
        ruled.catch_up()
        person = ruled.anna().user
        assert person
        assert person.is_active
        assert ruled.link().difference == f"It was archived there. {conflicts.BY_HAND}"

    def test_an_error_of_our_own_is_told_of_one_alone(
        self, ruled: Ruled, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def breaks(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("tallystick.integrations.arrivals.take_customer", breaks)
        ruled.by("remote_wins").edit_there(city="Kassel")
        ruled.price_there("12")
        ruled.catch_up()
        assert "an error of our own: ZeroDivisionError" in ruled.link().difference
        assert Product.objects.everywhere().get().price == Decimal(12)


class TestBothSides:
    @every_rule
    def test_the_rule_decides(self, ruled: Ruled, rule: str) -> None:
        ruled.by(rule).edit_there(city="Kassel")
        ruled.edit_here(city="Berlin")
        ruled.hear()
        ruled.catch_up(3)
        here, there = ruled.anna().city, ruled.row()["city"]
        assert (here, there) == {
            "ask": ("Berlin", "Kassel"),
            "local_wins": ("Berlin", "Berlin"),
            "remote_wins": ("Kassel", "Kassel"),
        }[rule]
        assert bool(ruled.link().difference) == (rule == "ask")

    @every_rule
    def test_what_is_sent_before_it_is_heard_of_goes_over_it(self, ruled: Ruled, rule: str) -> None:
        """The window."""
        ruled.by(rule).edit_there(city="Kassel")
        ruled.edit_here(city="Berlin")
        ruled.catch_up(3)
        assert (ruled.anna().city, ruled.row()["city"]) == ("Berlin", "Berlin")
        assert ruled.link().difference == ""

    @every_rule
    def test_an_edit_of_ours_alone_is_no_conflict(self, ruled: Ruled, rule: str) -> None:
        """Its version there moves with each invoice."""
        ruled.by(rule).edit_there(public_notes="A good payer")
        ruled.edit_here(city="Berlin")
        ruled.hear()
        assert ruled.link().difference == ""
        assert ruled.settle() == 1
        assert (ruled.anna().city, ruled.row()["city"]) == ("Berlin", "Berlin")

    @every_rule
    def test_a_change_whose_answer_was_lost_is_our_own(self, ruled: Ruled, rule: str) -> None:
        ruled.by(rule).clock.advance(MINUTE)
        ruled.edit_here(city="Köln")
        ruled.site.stand.faults.switch_on(
            Fault(kind=FaultKind.LOST_ANSWER, method="PUT", path="/clients", times=1)
        )
        ruled.site.serve()
        assert ruled.row()["city"] == "Köln"
        ruled.edit_here(city="Berlin")
        ruled.hear()
        assert ruled.link().difference == ""
        ruled.settle()
        assert (ruled.anna().city, ruled.row()["city"]) == ("Berlin", "Berlin")

    @every_rule
    def test_what_they_write_otherwise_is_no_difference(self, ruled: Ruled, rule: str) -> None:
        """The country is filled in there, a long text is cut, an address is put in capitals."""
        ruled.by(rule)
        product = Product.objects.everywhere().get()
        product.description, product.category = "gold " * 300, "Teeth"
        product.save()
        ruled.edit_here(line1="Weg 1")
        ruled.site.serve()
        ruled.mail_there("Anna@Example.org")
        ruled.price_there("10.000")
        assert ruled.sent(lambda: ruled.catch_up(3)) == 0
        assert ruled.sent(lambda: ruled.catch_up(3), "products") == 0
        assert not Link.objects.exclude(difference="").exists()


class TestACommand:
    def test_force_sends_ours(self, ruled: Ruled) -> None:
        ruled.price_there("12")
        ruled.catch_up()
        ruled.price_here("11")
        said = StringIO()
        call_command("sync_products_to_invoice_ninja", stdout=said, stderr=StringIO())
        assert "It was changed there as well: price." in said.getvalue()
        assert ruled.product_row()["price"] == 12
        ruled.clock.advance(timedelta(minutes=6))
        plan = StringIO()
        call_command("sync_products_to_invoice_ninja", "--dry-run", stdout=plan)
        assert "waiting" in plan.getvalue()
        forced = ("--force-update", "--all")
        call_command("sync_products_to_invoice_ninja", *forced, "--dry-run", stdout=plan)
        assert "would update" in plan.getvalue()
        assert ruled.link(Kind.PRODUCT).difference
        call_command("sync_products_to_invoice_ninja", *forced, stdout=said, stderr=StringIO())
        assert ruled.product_row()["price"] == 11
        assert ruled.link(Kind.PRODUCT).difference == ""

    def test_of_a_named_user_too(self, ruled: Ruled) -> None:
        ruled.edit_there(city="Kassel")
        ruled.catch_up()
        ruled.edit_here(city="Berlin")
        ruled.catch_up()
        user = str(ruled.anna().user_id)
        call_command(
            "retry_invoice_ninja_syncs", "--user-id", user, "--force", "--now", stdout=StringIO()
        )
        assert ruled.row()["city"] == "Berlin"
        assert ruled.link().difference == ""


class TestItsCost:
    def seeded(self, ruled: Ruled, count: int) -> list[dict[str, Any]]:
        for number in range(count):
            Product.objects.create(
                website=ruled.site.website, name=f"P{number}", price=Decimal(5), currency="EUR"
            )
        ruled.site.serve()
        rows = list(ruled.site.stand.company.shelves["products"])
        return [row for row in rows if row["product_key"].startswith("p")]

    def queries(self, act: Callable[[], Any]) -> int:
        with CaptureQueriesContext(database) as seen:
            act()
        return len(seen)

    @pytest.mark.parametrize("rule", ["ask", "local_wins"])
    def test_a_page_that_differs_costs_the_same_however_long(self, ruled: Ruled, rule: str) -> None:
        rows = self.seeded(ruled, 12)
        ruled.by(rule)

        def heard(some: list[dict[str, Any]]) -> int:
            ruled.clock.advance(timedelta(hours=1))
            for row in some:
                ruled.site.stand.edit_product(row["id"], {"price": "6"})
            return self.queries(ruled.hear)

        heard(rows[:1])
        assert heard(rows[1:3]) == heard(rows[3:])

    def test_what_is_taken_costs_so_much_each(self, ruled: Ruled) -> None:
        rows = self.seeded(ruled, 7)
        ruled.by("remote_wins")

        def heard(some: list[dict[str, Any]]) -> int:
            ruled.clock.advance(timedelta(hours=1))
            for row in some:
                ruled.site.stand.edit_product(row["id"], {"price": "6"})
            return self.queries(ruled.hear)

        heard(rows[:1])
        one, two, three = heard(rows[1:2]), heard(rows[2:4]), heard(rows[4:7])
        assert three - two == two - one

    def test_what_waits_costs_the_same_however_many(self, ruled: Ruled) -> None:
        rows = self.seeded(ruled, 12)
        ruled.clock.advance(MINUTE)
        for row in rows:
            ruled.site.stand.edit_product(row["id"], {"price": "6"})
        ruled.catch_up()

        def served(names: list[str]) -> int:
            ruled.clock.advance(MINUTE)
            for product in Product.objects.everywhere().filter(name__in=names):
                product.price = Decimal(7)
                product.save()
            return self.queries(ruled.site.serve)

        few = served(["P0", "P1"])
        assert served([f"P{number}" for number in range(2, 12)]) == few
        assert Link.objects.filter(state=State.DUE).exclude(difference="").count() == 12


@pytest.mark.parametrize("rule", ["local_wins", "remote_wins"])
def test_killed_in_the_middle_it_is_done_by_the_next(
    ruled: Ruled, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ruled.by(rule).edit_there(city="Kassel")
    ruled.price_there("12")
    whole = bringing.take

    def dies(*args: Any) -> None:
        whole(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(bringing, "take", dies)
        with pytest.raises(KeyboardInterrupt):
            ruled.hear()
    assert (ruled.anna().city, ruled.link().difference) == ("", "")
    assert ruled.link().fingerprint
    ruled.catch_up(2)
    cities = {ruled.anna().city, ruled.row()["city"]}
    assert cities == ({""} if rule == "local_wins" else {"Kassel"})
    assert not Link.objects.exclude(difference="").exists()
