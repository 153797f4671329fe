"""What Invoice Ninja has already: pulled, matched with ours, linked, made here; sent from then on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from tallystick.accounts.models import Account, Organisation
from tallystick.billing.models import Product
from tallystick.integrations import bringing, pulls
from tallystick.integrations.deciding import Decider, pages
from tallystick.integrations.links import READ_FIRST, UNDECIDED, Link
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.outgoing import prepare
from tallystick.integrations.pull import Catchup
from tallystick.integrations.pulls import Pull
from tallystick.integrations.remote_records import RemoteRecord
from tallystick.integrations.tests.ninja import NinjaSite
from tallystick.integrations.translate import AccountSync
from tallystick.integrations.turns import Progress, Turn
from tallystick.integrations.work import connections_with_work
from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock
from tallystick.people.models import User
from tallystick.ports.records import Kind, Remote, RemoteCustomer
from tallystick.queue.leases import owner_name

Match, Choice = RemoteRecord.Match, RemoteRecord.Choice


def silent(site: NinjaSite) -> None:
    """Nothing of ours is sent: as if it had been made before the connection."""
    Link.objects.filter(connection=site.connection).delete()


def record_of(number: int) -> RemoteCustomer:
    return RemoteCustomer(
        remote=Remote(f"r{number}", "1"), name=f"Client {number}", updated_at=clock.now(),
        email=f"c{number}@example.org",
    )  # fmt: skip


class TestPulling:
    def test_everything_that_is_there_comes(self, ninja: NinjaSite) -> None:
        ninja.stand.seed_clients(3)
        ninja.stand.add_product("CROWN", "190", custom_value4="Django_ID_7")
        ninja.serve()
        kinds = RemoteRecord.objects.values_list("kind", flat=True)
        assert sorted(set(kinds)) == ["contacts", "products", "tax_rates"]
        crown = ninja.record(kind="products")
        assert (crown.code, crown.local_hint, crown.match) == ("CROWN", "7", "unmatched")
        assert ninja.record(kind="tax_rates", name="VAT").match == ""
        assert (crown.document["price"], crown.found.remote.id) == ("190.0", crown.remote_id)
        assert not Pull.objects.filter(completed_at=None).exclude(data_type=pulls.WEBHOOKS).exists()
        assert not connections_with_work().exists()

    def test_an_older_connection_gets_what_it_lacks(self, ninja: NinjaSite) -> None:
        Pull.objects.exclude(data_type="invoices").delete()
        assert pulls.ensure(ninja.connection) == 4
        assert pulls.ensure(ninja.connection) == 0
        assert Pull.objects.get(data_type="contacts").since is None
        assert Pull.objects.get(data_type="invoices").since == ninja.connection.created_at

    def test_a_run_that_died_goes_on_at_its_page(
        self, ninja: NinjaSite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ninja.stand.seed_clients(250)
        whole, calls = bringing.take, []

        def dies(*args: Any) -> None:
            calls.append(args[1])
            if len(calls) == 2:
                raise KeyboardInterrupt
            whole(*args)

        with monkeypatch.context() as patch:
            patch.setattr(bringing, "take", dies)
            with pytest.raises(KeyboardInterrupt):
                ninja.serve()
        assert RemoteRecord.objects.count() == 100
        before = len(ninja.network.passed)
        ninja.serve()
        assert RemoteRecord.objects.filter(kind="contacts").count() == 250
        asked = [r for r in ninja.network.requests()[before:] if r.url.path.endswith("/clients")]
        assert len(asked) == 2

    def test_a_page_costs_the_same_whatever_is_on_it(self, ninja: NinjaSite) -> None:
        def queries(first: int, size: int) -> int:
            page = [record_of(number) for number in range(first, first + size)]
            log = SyncLog.objects.create(
                connection=ninja.connection, direction="pull", sync_type="contacts"
            )
            with CaptureQueriesContext(database) as seen:
                bringing.take(ninja.connection, Kind.CUSTOMER, page, log, Progress("contacts"))
            return len(seen)

        assert queries(0, 30) == queries(1000, 3)


class TestMatching:
    def test_our_key_tells_for_certain(self, ninja: NinjaSite) -> None:
        account = ninja.customer("anna")
        silent(ninja)
        ninja.stand.add_client(
            "Somebody else", email="x@example.org", id_number=account.customer_key
        )
        ninja.serve()
        found = ninja.record(kind="contacts")
        assert (found.match, found.is_certain) == (Match.PROPOSED, True)
        assert (found.model, found.local_id) == ("accounts.Account", str(account.pk))

    def test_an_email_proposes(self, ninja: NinjaSite) -> None:
        account = ninja.customer("anna")
        silent(ninja)
        ninja.stand.add_client("A. Becker", email="ANNA@example.org")
        ninja.serve()
        found = ninja.record(kind="contacts")
        assert (found.match, found.is_certain, found.local_id) == (
            Match.PROPOSED, False, str(account.pk),
        )  # fmt: skip

    def test_between_two_nothing_is_guessed(self, ninja: NinjaSite) -> None:
        ninja.customer("anna")
        silent(ninja)
        ninja.stand.add_client("One", email="anna@example.org")
        ninja.stand.add_client("Two", email="anna@example.org")
        club = Organisation.objects.create(
            website=ninja.website, name="Club", email="berta@example.org"
        )
        Account.open_for_organisation(club)
        ninja.customer("berta")
        silent(ninja)
        ninja.stand.add_client("Three", email="berta@example.org")
        ninja.serve()
        assert set(ninja.matches().values()) == {Match.UNMATCHED}
        assert "2 records there" in ninja.record(name="One").reason
        assert "2 objects here" in ninja.record(name="Three").reason

    def test_of_another_website_nothing_is_matched(self, ninja: NinjaSite) -> None:
        account = ninja.customer("anna")
        silent(ninja)
        other = type(ninja.website).objects.create(
            name="Harbour", domain="harbour.example", currency="GBP", country="GB"
        )
        Account.objects.of(ninja.website).filter(pk=account.pk).update(website=other)
        ninja.stand.add_client("A", email="anna@example.org", id_number=account.customer_key)
        ninja.serve()
        assert ninja.record(kind="contacts").match == Match.UNMATCHED

    @pytest.mark.parametrize("by", ["code", "number", "key"])
    def test_products(self, ninja: NinjaSite, by: str) -> None:
        product = ninja.product("Crown")
        silent(ninja)
        mark = {"number": f"Django_ID_{product.pk}", "key": f"Django_ID_p-{product.uid.hex}"}
        code = product.slug if by == "code" else "other"
        ninja.stand.add_product(code, "190", custom_value4=mark.get(by, ""))
        ninja.serve()
        found = ninja.record(kind="products")
        assert (found.match, found.local_id) == (Match.PROPOSED, str(product.pk))
        assert found.is_certain

    def test_what_we_sent_is_matched(self, ninja: NinjaSite, now: VirtualClock) -> None:
        ninja.customer("anna")
        ninja.serve()
        ninja.catch_up(now)
        found = ninja.record(kind="contacts")
        assert (found.match, found.link) == (Match.MATCHED, ninja.link(Kind.CUSTOMER))


class TestLinking:
    @pytest.fixture
    def account(self, ninja: NinjaSite) -> Account:
        """Here and there, and nobody knows."""
        account = ninja.customer("anna")
        silent(ninja)
        ninja.stand.add_client("A. Becker", email="anna@example.org")
        ninja.serve()
        return account

    def test_ours_goes_there_next_with_our_key(self, ninja: NinjaSite, account: Account) -> None:
        assert ninja.accept_all() == 1
        assert ninja.record(kind="contacts").match == Match.ACCEPTED
        assert connections_with_work().exists()
        ninja.serve()
        there = ninja.row("clients", id_number=account.customer_key)
        assert there["name"] == "Anna Becker"
        assert ninja.count("clients") == 1
        link = ninja.link(Kind.CUSTOMER)
        assert (link.state, link.remote_id) == ("done", there["id"])
        assert ninja.record(kind="contacts").match == Match.MATCHED

    def test_again_is_harmless(self, ninja: NinjaSite, account: Account) -> None:
        for _ in range(3):
            ninja.accept_all()
            ninja.serve()
        assert ninja.count("clients") == 1
        assert len(ninja.links(Kind.CUSTOMER)) == 1

    def test_killed_in_the_middle(
        self, ninja: NinjaSite, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ninja.accept_all()

        def dies(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr("tallystick.integrations.applying.record", dies)
            with pytest.raises(KeyboardInterrupt):
                ninja.serve()
        assert not ninja.links(Kind.CUSTOMER)
        ninja.serve()
        assert ninja.link(Kind.CUSTOMER).state == "done"
        assert ninja.count("clients") == 1

    def test_two_that_take_the_same_one(self, ninja: NinjaSite, account: Account) -> None:
        ninja.stand.add_client("Another", email="other@example.org")
        Pull.objects.filter(data_type="contacts").update(due_at=clock.now())
        ninja.serve()
        for record in RemoteRecord.objects.filter(kind="contacts"):
            Decider("user:1").link(record, account)
        ninja.serve()
        assert sorted(ninja.matches().values()) == [Match.MATCHED, Match.UNMATCHED]
        assert len(ninja.links(Kind.CUSTOMER)) == 1

    def test_what_is_being_sent_is_left_alone(self, ninja: NinjaSite, account: Account) -> None:
        account.save()
        Link.objects.update(attempt_key="lost", due_at=clock.now() + timedelta(hours=9))
        Decider().link(ninja.record(kind="contacts"), account)
        ninja.serve()
        assert "being sent" in ninja.record(kind="contacts").reason
        assert ninja.link(Kind.CUSTOMER).remote_id == ""
        assert not connections_with_work().exists()

    def test_theirs_first_where_that_is_asked(self, ninja: NinjaSite, account: Account) -> None:
        row = ninja.row("clients", name="A. Becker")
        ninja.stand.edit_client(row["id"], {"name": "Anna Maria Becker", "city": "Kassel"})
        Pull.objects.filter(data_type="contacts").update(due_at=clock.now())
        ninja.serve()
        ninja.accept_all(Decider(keep_remote=True))
        ninja.serve()
        account = Account.objects.of(ninja.website).get(pk=account.pk)
        assert (account.name, account.city) == ("Anna Maria Becker", "Kassel")
        assert ninja.row("clients", id_number=account.customer_key)["name"] == "Anna Maria Becker"

    def test_nobody_s_log_in_is_changed_unseen(self, ninja: NinjaSite, account: Account) -> None:
        record = ninja.record(kind="contacts")
        row = ninja.row("clients", name="A. Becker")
        contact = {**row["contacts"][0], "email": "other@example.org"}
        ninja.stand.edit_client(row["id"], {"contacts": [contact], "city": "Kassel"})
        Pull.objects.filter(data_type="contacts").update(due_at=clock.now())
        ninja.serve()
        Decider(keep_remote=True).link(record, account)
        ninja.serve()
        account = Account.objects.of(ninja.website).get(pk=account.pk)
        assert (account.city, account.email) == ("Kassel", "anna@example.org")

    @pytest.mark.parametrize("field", ["is_staff", "is_superuser"])
    def test_of_staff_nothing_is_taken_unseen(
        self, ninja: NinjaSite, account: Account, field: str
    ) -> None:
        User.objects.update(**{field: True})
        ninja.accept_all(Decider(keep_remote=True))
        ninja.serve()
        record = ninja.record(kind="contacts")
        assert (record.match, "staff" in record.reason) == (Match.UNMATCHED, True)
        assert Account.objects.of(ninja.website).get(pk=account.pk).name == "Anna Becker"

    def test_what_bears_another_s_key_is_not_linked(
        self, ninja: NinjaSite, account: Account
    ) -> None:
        berta = ninja.customer("berta")
        silent(ninja)
        ninja.stand.add_client("B", email="x@example.org", id_number=berta.customer_key)
        Pull.objects.filter(data_type="contacts").update(due_at=clock.now())
        ninja.serve()
        record = ninja.record(name="B")
        Decider().link(record, account)
        ninja.serve()
        record.refresh_from_db()
        assert record.match == Match.UNMATCHED
        assert record.reason == (
            f"It bears the key of accounts.Account {berta.pk}: link it to that one."
        )
        Decider().make([record], Choice.ORGANISATION)
        ninja.serve()
        assert not Organisation.objects.of(ninja.website).exists()
        Decider().link(record, berta)
        ninja.serve()
        assert ninja.record(name="B").match == Match.MATCHED

    @pytest.mark.parametrize("how", ["take", "make"])
    def test_an_error_of_our_own_stops_one_alone(
        self, ninja: NinjaSite, account: Account, monkeypatch: pytest.MonkeyPatch, how: str
    ) -> None:
        ninja.stand.add_client("Kanzlei Roth", email="buero@roth.example")
        Pull.objects.filter(data_type="contacts").update(due_at=clock.now())
        ninja.serve()
        good = ninja.record(name="Kanzlei Roth" if how == "take" else "A. Becker")
        bad = ninja.record(name="A. Becker" if how == "take" else "Kanzlei Roth")

        def fails(*_: object) -> None:
            raise RuntimeError

        with monkeypatch.context() as patch:
            patch.setattr(AccountSync, how, fails)
            Decider(keep_remote=how == "take").accept([bad])
            if how == "make":
                Decider().make([bad])
            club = Organisation.objects.create(website=ninja.website, name="Club")
            Decider().link(good, Account.open_for_organisation(club))
            ninja.serve()
        bad.refresh_from_db()
        good.refresh_from_db()
        assert (bad.match, good.match) == (Match.UNMATCHED, Match.MATCHED)
        assert "an error of our own: RuntimeError" in bad.reason

    def test_what_was_ignored_meanwhile_is_not_accepted(
        self, ninja: NinjaSite, account: Account
    ) -> None:
        record = ninja.record(kind="contacts")
        Decider().ignore(RemoteRecord.objects.filter(pk=record.pk))
        assert Decider().accept([record]) == 0
        assert ninja.record(kind="contacts").match == Match.IGNORED

    def test_a_client_without_counterpart_is_made_here(self, ninja: NinjaSite) -> None:
        ninja.stand.add_client("Kanzlei Roth", email="buero@roth.example")
        ninja.stand.add_client("", email="carl@example.org")
        ninja.serve()
        for _, page in pages(RemoteRecord.objects.filter(kind="contacts")):
            assert Decider().make(page) == 2
        ninja.serve()
        club = Organisation.objects.of(ninja.website).get()
        person = User.objects.get()
        assert (club.name, club.email) == ("Kanzlei Roth", "buero@roth.example")
        assert (person.email, person.has_usable_password()) == ("carl@example.org", False)
        assert set(ninja.matches().values()) == {Match.MATCHED}
        assert ninja.count("clients") == 2

    def test_nobody_gets_a_second_account(self, ninja: NinjaSite, account: Account) -> None:
        record = ninja.record(kind="contacts")
        Decider().make([record], Choice.PERSON)
        ninja.serve()
        record.refresh_from_db()
        assert (record.match, User.objects.count()) == (Match.UNMATCHED, 1)
        assert "e-mail address already" in record.reason

    def test_a_product_is_made_here(self, ninja: NinjaSite) -> None:
        ninja.stand.add_product("Crown XL", "12.5", notes="Of gold")
        ninja.serve()
        for _, page in pages(RemoteRecord.objects.filter(kind="products")):
            Decider().make(page)
        ninja.serve()
        product = Product.objects.of(ninja.website).get()
        assert (product.name, product.slug, product.description) == (
            "Crown XL",
            "crown-xl",
            "Of gold",
        )
        assert ninja.count("products") == 1

    def test_two_workers_make_one(self, ninja: NinjaSite, account: Account) -> None:
        ninja.accept_all()
        ninja.connection.refresh_from_db()
        with Turn(ninja.connection, owner_name()).held():
            other = type(ninja.connection).objects.everywhere().get(pk=ninja.connection.pk)
            with Turn(other, "another").held() as client:
                assert client is None
        ninja.serve()
        assert ninja.count("clients") == 1


class TestHolding:
    """What may be there already is not made there a second time."""

    @pytest.fixture
    def account(self, ninja: NinjaSite) -> Account:
        """Older than the connection, and there too under its address."""
        account = ninja.customer("anna")
        silent(ninja)
        ninja.stand.add_client("A. Becker", email="anna@example.org")
        return account

    def test_an_edit_before_the_first_catch_up(self, ninja: NinjaSite, account: Account) -> None:
        account.save()
        ninja.product("Crown")
        ninja.serve()
        assert (ninja.count("clients"), ninja.count("products")) == (1, 1)
        link = ninja.link(Kind.CUSTOMER)
        assert (link.state, link.last_error) == ("due", UNDECIDED)
        assert not connections_with_work().exists()

    def test_an_edit_while_it_is_proposed(self, ninja: NinjaSite, account: Account) -> None:
        ninja.serve()
        account.save()
        ninja.serve()
        assert ninja.count("clients") == 1
        ninja.accept_all()
        ninja.serve()
        assert (ninja.count("clients"), ninja.link(Kind.CUSTOMER).state) == (1, "done")

    @pytest.mark.parametrize("act", ["ignore", "make", "elsewhere"])
    def test_once_it_is_decided_otherwise_it_is_sent(
        self, ninja: NinjaSite, account: Account, act: str
    ) -> None:
        account.save()
        ninja.serve()
        record = ninja.record(kind="contacts")
        if act == "ignore":
            Decider().ignore(RemoteRecord.objects.filter(pk=record.pk))
        elif act == "make":
            Decider().make([record], Choice.ORGANISATION)
        else:
            club = Organisation.objects.create(website=ninja.website, name="Club")
            Decider().link(record, Account.open_for_organisation(club))
        assert connections_with_work().exists()
        ninja.serve()
        assert ninja.row("clients", id_number=account.customer_key)["name"] == "Anna Becker"
        assert ninja.count("clients") == 2

    def test_while_there_is_more_to_read(
        self, ninja: NinjaSite, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        account.save()
        with monkeypatch.context() as patch:
            patch.setattr(Catchup, "first", lambda *_: None)
            patch.setattr(Catchup, "run", lambda *_: None)
            ninja.serve()
            assert ninja.link(Kind.CUSTOMER).last_error == READ_FIRST
            assert ninja.count("clients") == 1
        ninja.serve()
        ninja.serve()
        assert ninja.link(Kind.CUSTOMER).last_error == UNDECIDED

    def test_a_page_costs_one_query_more(self, ninja: NinjaSite) -> None:
        for name in ("anna", "berta"):
            ninja.customer(name)
        links = ninja.links(Kind.CUSTOMER)
        with CaptureQueriesContext(database) as sent:
            prepare(ninja.connection, links, clock.now())
        with CaptureQueriesContext(database) as looked_at:
            prepare(ninja.connection, links, clock.now(), write=False)
        assert len(sent) == len(looked_at) + 1
