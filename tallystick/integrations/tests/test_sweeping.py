"""What was missed comes due by itself; webhooks are seen to; the command that imports."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from tallystick.accounts.models import Account, Organisation, Website
from tallystick.billing.models import Product
from tallystick.integrations import bringing, pulls, subscribing, sweeping, sync
from tallystick.integrations.connections import Connection
from tallystick.integrations.inbound import InboundEvent
from tallystick.integrations.links import Link
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.pulls import WEBHOOKS, Pull
from tallystick.integrations.subscribing import hindrance
from tallystick.integrations.tests.conftest import Site
from tallystick.integrations.tests.ninja import NinjaSite
from tallystick.integrations.work import drain_inbox
from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock
from tallystick.ports.records import Kind
from tallystick.ports.sandboxing import Fault, FaultKind
from tallystick.providers.invoiceninja import InvoiceNinja
from tallystick.queue import schedules
from tallystick.queue.models import Schedule
from tallystick.queue.registry import Budget


def in_bulk(website: Website, count: int) -> None:
    """Products that no signal told of."""
    Product.objects.bulk_create(
        Product(website=website, name=f"P{n}", slug=f"p{n}", price=1, currency="EUR")
        for n in range(count)
    )


class TestSweeping:
    def test_a_new_connection_is_filled_at_once(self, ninja: NinjaSite) -> None:
        Schedule.register()
        Schedule.objects.update(due_at=clock.now() + timedelta(hours=1))
        Connection.objects.create(website=ninja.website, type="XERO", name="Books")
        swept = Schedule.objects.get(name=sweeping.ROUTINE)
        assert swept.due_at <= clock.now() + timedelta(minutes=1)

    def test_what_was_missed_is_sent(self, ninja: NinjaSite) -> None:
        in_bulk(ninja.website, 3)
        ninja.serve()
        assert ninja.count("products") == 0
        assert sweeping.sweep() == 3
        ninja.serve()
        assert ninja.count("products") == 3
        assert sweeping.sweep() == 0
        assert "missing-links" in schedules.routines()

    def test_nothing_missing_is_one_query_per_model(self, ninja: NinjaSite) -> None:
        in_bulk(ninja.website, 30)
        ninja.serve()
        sweeping.sweep()
        with CaptureQueriesContext(database) as seen:
            assert sweeping.mark_missing(ninja.connection) == 0
        assert len(seen) == 4  # per model: is the first pull done, and what is missing

    def test_a_killed_sweep_goes_on(
        self, ninja: NinjaSite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        in_bulk(ninja.website, 5)
        ninja.serve()
        whole, done = sync.mark_due, list[object]()

        def dies(*args: Any) -> int:
            if done:
                raise KeyboardInterrupt
            done.append(args)
            return whole(*args)

        with monkeypatch.context() as patch:
            patch.setattr(sweeping, "PAGE", 2)
            patch.setattr(sync, "mark_due", dies)
            with pytest.raises(KeyboardInterrupt):
                sweeping.sweep()
        assert Link.objects.count() == 2
        assert sweeping.sweep() == 3

    def test_what_may_be_there_already_waits_for_a_person(self, ninja: NinjaSite) -> None:
        account = ninja.customer("anna")
        Link.objects.all().delete()
        assert sweeping.sweep() == 0, "what is there is not known yet"
        ninja.stand.add_client("A. Becker", email="anna@example.org")
        ninja.serve()
        assert sweeping.sweep() == 0
        ninja.record(kind="contacts").delete()
        assert sweeping.sweep() == 1
        assert Link.objects.get().local_id == str(account.pk)

    def test_invoices_from_before_are_not_sent_unasked(self, site: Site) -> None:
        site.invoice()
        Link.objects.all().delete()
        assert sweeping.sweep() == 1
        assert Link.objects.get().kind == Kind.CUSTOMER

    def test_the_command_does_it_now(self, ninja: NinjaSite) -> None:
        ninja.serve()
        in_bulk(ninja.website, 2)
        call_command("sync", "invoice_ninja", missing=True, stdout=StringIO())
        assert ninja.count("products") == 2


class TestWebhooks:
    @pytest.fixture(autouse=True)
    def public(self, settings: Settings) -> None:
        settings.PUBLIC_URL = "https://billing.example.org"
        settings.TUNNEL_HOST = ""

    def test_they_are_ordered_at_once_and_kept(self, ninja: NinjaSite, now: VirtualClock) -> None:
        ninja.serve()
        hooks = ninja.count("webhooks")
        assert hooks > 10
        ours = f"https://billing.example.org/api/integrations/invoice_ninja/webhook/{ninja.connection.pk}/"
        assert all(
            row["target_url"].startswith(ours) for row in ninja.stand.company.shelves["webhooks"]
        )
        pull = Pull.objects.get(data_type=WEBHOOKS)
        assert (pull.due_at - now.now()).total_seconds() > 80_000
        ninja.connection.refresh_from_db()
        ninja.connection.keep_settings()
        ninja.serve()
        assert ninja.count("webhooks") == hooks
        assert SyncLog.objects.filter(sync_type=WEBHOOKS).count() == 2

    def test_a_change_there_comes_soon(
        self, ninja: NinjaSite, client: Client, now: VirtualClock
    ) -> None:
        ninja.serve()
        ninja.stand.add_client("Kanzlei Roth", email="buero@roth.example")
        for out in ninja.stand.pending_deliveries():
            address = out.url.removeprefix("https://billing.example.org")
            answer = client.post(
                address, out.body, content_type="application/json", headers=dict(out.headers)
            )
            assert answer.status_code == 200
        drain_inbox(Budget())
        assert InboundEvent.objects.get().outcome == "the catch-up brings it"
        soon = Pull.objects.get(data_type="contacts").due_at
        assert (soon - now.now()).total_seconds() <= 60

    @pytest.mark.parametrize("status", [402, 403])
    def test_a_refusal_is_told_and_stops_nothing(self, ninja: NinjaSite, status: int) -> None:
        ninja.stand.faults.switch_on(
            Fault(kind=FaultKind.STATUS, status=status, path="/api/v1/webhooks")
        )
        ninja.customer("anna")
        ninja.serve()
        ninja.connection.refresh_from_db()
        log = SyncLog.objects.get(sync_type=WEBHOOKS)
        assert log.errors
        assert ninja.count("clients") == 1

    def test_an_outage_is_not_waited_out_for_a_day(
        self, ninja: NinjaSite, now: VirtualClock
    ) -> None:
        fault = Fault(kind=FaultKind.STATUS, status=503, path="/api/v1/webhooks", times=4)
        ninja.stand.faults.switch_on(fault)
        ninja.serve()
        pull = Pull.objects.get(data_type=WEBHOOKS)
        assert 0 < (pull.due_at - now.now()).total_seconds() <= 900
        ninja.stand.faults.clear()
        ninja.catch_up(now)
        assert ninja.count("webhooks") > 10

    def test_what_could_not_be_ordered_is_tried_again_soon(
        self, ninja: NinjaSite, now: VirtualClock, settings: Settings
    ) -> None:
        settings.PUBLIC_URL = "http://billing.example.org"
        ninja.serve()
        pull = Pull.objects.get(data_type=WEBHOOKS)
        assert 0 < (pull.due_at - now.now()).total_seconds() <= 900

    def test_the_lease_is_kept_while_they_are_ordered(
        self, ninja: NinjaSite, now: VirtualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As the server is slow: more calls than fit into one lease."""
        beats: list[object] = []
        tick = timedelta(seconds=11)
        monkeypatch.setattr(subscribing, "wait", lambda *_, **__: now.advance(tick))
        go_on = threading.Event()

        def slow(*_: object) -> int:
            assert go_on.wait(10)
            return 1

        def beaten(*_: object) -> None:
            beats.append(now.now())
            if len(beats) >= 3:
                go_on.set()

        monkeypatch.setattr(Connection, "heartbeat", beaten)
        monkeypatch.setattr(InvoiceNinja, "subscribe", slow)
        ninja.serve()
        assert len(beats) >= 3

    def test_news_during_a_catch_up_is_not_lost(
        self, ninja: NinjaSite, now: VirtualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ninja.serve()
        whole = bringing.take

        def hastened(*args: Any) -> None:
            whole(*args)
            now.advance(timedelta(seconds=1))
            pulls.hasten(ninja.connection, Kind.CUSTOMER)

        monkeypatch.setattr(bringing, "take", hastened)
        Pull.objects.filter(data_type="contacts").update(due_at=now.now())
        ninja.serve()
        assert Pull.due().filter(data_type="contacts").exists()
        monkeypatch.setattr(bringing, "take", whole)
        ninja.serve()
        assert not Pull.due().filter(data_type="contacts").exists()

    def test_not_where_nobody_could_reach_us(self, ninja: NinjaSite, settings: Settings) -> None:
        settings.PUBLIC_URL = "http://billing.example.org"
        assert "https" in hindrance(ninja.connection)
        ninja.serve()
        assert ninja.count("webhooks") == 0
        with pytest.raises(CommandError, match="https"):
            call_command("webhook_url", "invoice_ninja", stdout=StringIO())

    def test_the_command_prints_and_orders(self, ninja: NinjaSite) -> None:
        out = StringIO()
        call_command("webhook_url", "invoice_ninja", stdout=out)
        assert f"/webhook/{ninja.connection.pk}\n" in out.getvalue()
        assert ninja.count("webhooks") > 10
        call_command("webhook_url", "xero", stdout=out)
        assert out.getvalue().endswith("/api/integrations/xero/webhook\n")


class TestCommand:
    @pytest.fixture
    def known(self, ninja: NinjaSite) -> NinjaSite:
        """Anna by our key, Berta by e-mail, Carl there alone, two of Dora."""
        anna = ninja.customer("anna")
        ninja.customer("berta")
        ninja.customer("dora")
        Link.objects.all().delete()
        add = ninja.stand.add_client
        add("Anna", email="other@example.org", id_number=anna.customer_key)
        add("Berta", email="berta@example.org")
        add("Carl", email="carl@example.org")
        add("Dora", email="dora@example.org")
        add("Dora", email="dora@example.org")
        return ninja

    def run(self, **options: Any) -> tuple[int, dict[str, Any]]:
        """The exit status and the report."""
        out, status = StringIO(), 0
        try:
            call_command("import_from_invoice_ninja", as_json=True, stdout=out, **options)
        except CommandError as error:
            status = error.returncode
        return status, json.loads(out.getvalue())[0]

    def test_a_dry_run_says_and_does_nothing(self, known: NinjaSite) -> None:
        status, report = self.run(by_email=True, create=True)
        assert status == 1
        assert {name: report[name] for name in ("link", "create", "review")} == {
            "link": 2, "create": 1, "review": 2,
        }  # fmt: skip
        assert not Link.objects.exists()
        out = StringIO()
        with pytest.raises(CommandError, match="review list"):
            call_command("import_from_invoice_ninja", stdout=out)
        assert "would link: contacts" in out.getvalue()
        assert "Nothing was changed" in out.getvalue()

    def test_it_links_what_is_certain(self, known: NinjaSite) -> None:
        status, report = self.run(apply=True)
        assert (status, report["review"]) == (1, 4)
        assert Link.objects.get().key.startswith("c-")

    def test_it_does_what_it_is_told_once(self, known: NinjaSite) -> None:
        for _ in range(2):
            self.run(apply=True, by_email=True, create=True, clients=True)
        assert Link.objects.exclude(remote_id="").count() == 3
        assert Organisation.objects.of(known.website).get().email == "carl@example.org"
        known.serve()
        assert known.count("clients") == 5
        assert known.row("clients", name="Berta Becker")["id_number"].startswith("c-")

    def test_all_settled_is_0_and_unreadable_is_2(self, ninja: NinjaSite) -> None:
        assert self.run()[0] == 0
        ninja.stand.faults.switch_on(Fault(kind=FaultKind.STATUS, status=503))
        status, report = self.run()
        assert status == 2
        assert report["problem"]
        Connection.objects.everywhere().update(is_active=False)
        with pytest.raises(CommandError, match="No active connection"):
            call_command("import_from_invoice_ninja")

    def test_products(self, ninja: NinjaSite) -> None:
        ninja.stand.add_product("Crown", "10")
        assert self.run(apply=True, create=True, products=True)[0] == 0
        assert Product.objects.of(ninja.website).get().name == "Crown"
        assert Account.objects.of(ninja.website).count() == 0
