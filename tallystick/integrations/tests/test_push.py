from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal

import pytest

from tallystick.accounts.models import Account
from tallystick.billing import payments
from tallystick.billing.lines import LineDraft
from tallystick.billing.models import Invoice
from tallystick.integrations import sync
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.results import Result
from tallystick.integrations.tests.conftest import ORGANISATION, Site
from tallystick.integrations.turns import Turn
from tallystick.integrations.work import connections_with_work, serve
from tallystick.kit.clock import VirtualClock
from tallystick.ports.records import Kind
from tallystick.ports.sandboxing import Fault, FaultKind
from tallystick.queue.rows import State

pytestmark = pytest.mark.usefixtures("healthy")


def test_a_new_customer_becomes_a_contact_once(site: Site) -> None:
    account = site.customer()
    site.serve()
    link = site.link(Kind.CUSTOMER)
    assert link.state == State.DONE
    assert link.remote_id
    assert site.made("contacts") == {account.customer_key: 1}


def test_an_unchanged_customer_is_not_sent_again(site: Site) -> None:
    account = site.customer()
    site.serve()
    before = len(site.stand.calls)
    account.save()
    site.serve()
    assert site.link(Kind.CUSTOMER).state == State.DONE
    assert not [call for call in list(site.stand.calls)[before:] if call.method != "GET"]


def test_an_edit_of_the_person_is_an_edit_of_the_customer(site: Site) -> None:
    account = site.customer()
    site.serve()
    rename(account)
    assert site.link(Kind.CUSTOMER).state == State.DUE
    site.serve()
    contacts = site.stand.app(ORGANISATION).books.contacts
    (contact,) = contacts.find("ContactNumber", account.customer_key)
    assert contact["FirstName"] == "Annabel"
    assert site.made("contacts") == {account.customer_key: 1}


def test_signing_in_says_nothing_to_anyone(site: Site) -> None:
    user = site.customer().user
    assert user
    site.serve()
    user.last_login = user.date_joined
    user.save(update_fields=["last_login"])
    assert site.link(Kind.CUSTOMER).state == State.DONE


def test_an_invoice_goes_after_its_customer_and_its_payment_after_it(site: Site) -> None:
    invoice = site.invoice()
    payments.mark_paid(invoice, by=None)
    site.serve()
    assert site.made("invoices") == {invoice.number: 1}
    allocation = invoice.allocations.get()
    assert site.made("payments") == {f"y-{allocation.uid.hex}": 1}
    there = site.stand.app(ORGANISATION).books.invoices.find("InvoiceNumber", invoice.number)[0]
    assert there["Status"] == "PAID"
    assert there["Total"] == Decimal("119.00")


def test_a_discount_is_told_as_one(site: Site) -> None:
    line = LineDraft("Crown", Decimal(4), Decimal("190.00"), discount_percent=Decimal(10))
    invoice = Invoice.objects.draft(account=site.customer(), lines=[line])
    invoice.issue()
    site.serve()
    (there,) = site.stand.app(ORGANISATION).books.invoices.find("InvoiceNumber", invoice.number)
    assert there["Total"] == invoice.amount == Decimal("684.00")
    assert there["LineItems"][0]["DiscountRate"] == Decimal(10)


def test_a_draft_is_not_sent(site: Site) -> None:
    Invoice.objects.draft(
        account=site.customer(), lines=[LineDraft("Crown", unit_price=Decimal(1))]
    )
    site.serve()
    assert not site.made("invoices")


def test_what_is_older_than_the_connection_goes_when_it_is_named(site: Site) -> None:
    account = site.customer()
    Link.objects.all().delete()
    site.invoice(account)
    site.serve()
    site.serve()
    assert site.made("contacts") == {account.customer_key: 1}
    assert site.link(Kind.INVOICE).state == State.DONE


def test_fifty_go_in_one_call(site: Site) -> None:
    for number in range(60):
        site.product(f"Product {number}")
    site.serve()
    writes = [c for c in site.stand.calls if c.path.endswith("/Items") and c.method != "GET"]
    assert len(site.made("items")) == 60
    assert len(writes) == 2


@pytest.mark.parametrize(
    "kind", [FaultKind.LOST_ANSWER, FaultKind.RESET, FaultKind.TRUNCATED, FaultKind.HTML]
)
@pytest.mark.parametrize("path", ["/Contacts", "/Invoices", "/Payments"])
def test_a_lost_answer_is_looked_up_not_repeated(
    site: Site, now: VirtualClock, kind: FaultKind, path: str
) -> None:
    site.stand.faults.switch_on(Fault(kind=kind, path=path, method="PUT", times=1))
    site.stand.faults.switch_on(Fault(kind=kind, path=path, method="POST", times=1))
    invoice = site.invoice()
    payments.mark_paid(invoice, by=None)
    settle(site, now)
    assert set(site.made("contacts").values()) == {1}
    assert site.made("invoices") == {invoice.number: 1}
    assert list(site.made("payments").values()) == [1]


def test_without_keys_a_lost_answer_is_looked_up_all_the_same(
    site: Site, now: VirtualClock
) -> None:
    site.stand.set_idempotency(False, organisation=ORGANISATION)
    site.stand.faults.switch_on(Fault(kind=FaultKind.LOST_ANSWER, method="PUT", times=3))
    invoice = site.invoice()
    payments.mark_paid(invoice, by=None)
    settle(site, now)
    assert site.made("invoices") == {invoice.number: 1}
    assert list(site.made("payments").values()) == [1]


def test_a_refusal_says_why_and_does_not_stop_the_rest(site: Site) -> None:
    good = site.invoice(site.customer("anna"))
    bad = site.invoice(site.customer("bert"), percent=13)
    site.serve()
    links = {link.local_id: link for link in site.links(Kind.INVOICE)}
    assert links[str(good.pk)].state == State.DONE
    assert links[str(bad.pk)].state == State.DEAD
    assert "13" in links[str(bad.pk)].last_error
    log = SyncLog.objects.get(sync_type=Kind.INVOICE.value, direction="push")
    assert log.status == SyncLog.Status.PARTIAL
    assert log.message == "Successfully synced 1 of 2 invoices to Xero"
    assert log.errors == [f"Invoice {bad.number}: {links[str(bad.pk)].last_error}"]


def test_over_the_limit_the_connection_rests_and_nothing_is_charged(
    site: Site, now: VirtualClock
) -> None:
    site.stand.faults.switch_on(Fault(kind=FaultKind.TOO_MANY, path="/Contacts", times=1))
    site.customer()
    turn = site.serve()
    assert turn.ended_by
    assert site.link(Kind.CUSTOMER).attempts == 0
    assert not connections_with_work().exists()
    now.advance(timedelta(seconds=31))
    assert connections_with_work().exists()
    site.serve()
    assert site.link(Kind.CUSTOMER).state == State.DONE


def test_dead_credentials_say_reconnect_once_and_the_links_wait(site: Site) -> None:
    site.customer()
    site.connection.credentials = {**site.connection.credentials, "client_secret": "wrong"}
    site.connection.save()
    site.serve()
    assert site.connection.needs_reconnect
    assert site.connection.sync_error.lower().count("reconnect") == 1
    assert "wrong" not in site.connection.sync_error
    assert site.link(Kind.CUSTOMER).state == State.DUE
    assert not connections_with_work().exists()


def test_a_missing_permission_says_reconnect_and_asks_no_more(site: Site) -> None:
    site.connection.custom_data["scopes"] = (
        "accounting.contacts accounting.invoices accounting.payments"
    )
    site.connection.save()
    site.invoice()
    site.serve()
    assert site.connection.needs_reconnect
    assert len(site.stand.calls) < 10


def test_what_was_refused_of_the_old_credentials_does_not_hold_for_the_new(
    site: Site, now: VirtualClock
) -> None:
    stale = Connection.objects.of(site.website).get()
    now.advance(timedelta(seconds=1))
    site.connection.configure(site.connection.credentials, site.connection.custom_data)
    site.connection.keep_settings()
    stale.refuse("no")
    site.connection.refresh_from_db()
    assert not site.connection.needs_reconnect


def test_an_error_is_forgotten_when_a_call_gets_through(site: Site, now: VirtualClock) -> None:
    site.customer()
    site.stand.faults.switch_on(Fault(kind=FaultKind.REFUSED))
    site.serve()
    assert site.connection.sync_error
    site.stand.faults.clear()
    settle(site, now)
    assert site.connection.sync_error == ""


def test_whoever_asks_a_resting_connection_is_not_called(site: Site, now: VirtualClock) -> None:
    site.customer()
    site.connection.rest(now.now() + timedelta(minutes=1), "Over the limit")
    turn = Turn(site.connection, "by hand")
    assert not serve(turn)
    assert "Over the limit" in turn.ended_by
    assert not site.stand.calls


def test_a_lost_answer_stays_lost_while_it_cannot_be_sent(
    site: Site, now: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.stand.faults.switch_on(Fault(kind=FaultKind.LOST_ANSWER, path="/Contacts", times=1))
    account = site.customer()
    site.serve()
    told = sync.sync_of("accounts.Account")
    with monkeypatch.context() as broken:
        broken.setattr(told, "to_record", lambda obj: 1 / 0)
        now.advance(timedelta(minutes=1))
        site.serve()
    assert site.link(Kind.CUSTOMER).state == State.DEAD
    Link.objects.all().revive()
    settle(site, now)
    assert site.made("contacts") == {account.customer_key: 1}


def test_an_outage_opens_the_breaker_and_charges_no_link_meanwhile(
    site: Site, now: VirtualClock
) -> None:
    site.customer()
    site.stand.faults.switch_on(Fault(kind=FaultKind.REFUSED))
    for _ in range(30):
        now.advance(timedelta(minutes=20))
        site.serve()
    assert site.link(Kind.CUSTOMER).attempts <= 5
    site.stand.faults.clear()
    now.advance(timedelta(minutes=20))
    site.serve()
    assert site.link(Kind.CUSTOMER).state == State.DONE


def test_an_edit_while_it_is_under_way_is_sent_after_it(site: Site) -> None:
    account = site.customer()

    site.serve(kind=before_first_write(lambda: rename(account)))
    writes = [c.method for c in site.stand.calls if "/Contacts" in c.path and c.method != "GET"]
    assert writes == ["PUT", "POST"]
    assert site.link(Kind.CUSTOMER).state == State.DONE
    assert site.made("contacts") == {account.customer_key: 1}


def test_two_workers_do_not_serve_one_connection_at_once(site: Site) -> None:
    site.customer()
    first = Turn(site.connection, "first")
    with first.held() as client:
        assert client is not None
        assert serve(Turn(site.connection, "second")) is False


def test_a_worker_past_its_lease_writes_nothing(site: Site) -> None:
    site.customer()

    def overtake() -> None:
        Connection.objects.everywhere().update(fence=99)

    site.serve(kind=before_first_write(overtake))
    link = site.link(Kind.CUSTOMER)
    assert link.remote_id == ""
    assert link.attempt_key


def before_first_write(deed: Callable[[], None]) -> type[Turn]:
    """A turn during which `deed` is done after the calls and before their results are stored."""

    class Interrupted(Turn):
        interrupted = False

        def write(self, results: Sequence[Result]) -> None:
            if any(result.fresh for result in results) and not Interrupted.interrupted:
                Interrupted.interrupted = True
                deed()
            super().write(results)

    return Interrupted


def rename(account: Account) -> None:
    assert account.user
    account.user.first_name = "Annabel"
    account.user.save()


def settle(site: Site, now: VirtualClock) -> None:
    """Serve until nothing is due any more."""
    open_links = Link.objects.filter(state__in=[State.DUE, State.UNCERTAIN])
    for _ in range(30):
        now.advance(timedelta(minutes=1))
        site.serve()
        if not open_links.exists():
            return
    raise AssertionError([(link.kind, link.state, link.last_error) for link in open_links])
