from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from tallystick.billing import payments
from tallystick.billing.models import Invoice, Payment, Wallet
from tallystick.integrations import sync
from tallystick.integrations.inbound import InboundEvent
from tallystick.integrations.links import Link
from tallystick.integrations.tests.conftest import ORGANISATION, Site
from tallystick.integrations.work import connections_with_work, drain_inbox
from tallystick.kit.clock import VirtualClock
from tallystick.ports.records import Kind, RemoteInvoice
from tallystick.queue.registry import Budget

pytestmark = pytest.mark.usefixtures("healthy")


@pytest.fixture
def sent(site: Site) -> Invoice:
    """An invoice that is in step."""
    invoice = site.invoice()
    site.serve()
    site.stand.pending_deliveries(ORGANISATION)
    return invoice


def deliver(site: Site, client: Client, *, url: str = "/billing/xero/webhooks/") -> list[int]:
    """Post what the sandbox has to tell; the status codes."""
    return [
        client.post(
            url, out.body, content_type="application/json",
            headers={"x-xero-signature": out.headers["x-xero-signature"]},
        ).status_code
        for out in site.stand.pending_deliveries(ORGANISATION)
    ]  # fmt: skip


def test_an_invoice_paid_there_is_paid_here_once(site: Site, sent: Invoice, client: Client) -> None:
    site.stand.pay_invoice(sent.number, organisation=ORGANISATION)
    assert deliver(site, client) == [200]
    drain_inbox(Budget())
    site.serve()
    site.serve()
    sent.refresh_from_db()
    assert sent.status == Invoice.Status.PAID
    payment = Payment.objects.of(site.website).get()
    assert (payment.method, payment.amount) == ("xero", Decimal(119))
    assert len(site.made("payments")) == 1, "its payment does not go back as another"


def test_our_own_payment_come_back_is_not_a_second_one(
    site: Site, sent: Invoice, client: Client
) -> None:
    payments.mark_paid(sent, by=None)
    site.serve()
    deliver(site, client)
    drain_inbox(Budget())
    site.serve()
    assert Payment.objects.of(site.website).count() == 1
    assert not Wallet.objects.of(site.website).exists()


def test_our_payment_whose_answer_was_lost_is_recognised(site: Site, sent: Invoice) -> None:
    payments.mark_paid(sent, by=None)
    site.serve()
    Link.objects.filter(kind=Kind.PAYMENT.value).update(remote_id="", attempt_key="lost")
    Link.objects.filter(kind=Kind.INVOICE.value).update(update_needed=True)
    site.serve()
    assert Payment.objects.of(site.website).count() == 1
    assert site.link(Kind.PAYMENT).remote_id


def test_paid_on_both_sides_the_second_becomes_credit(
    site: Site, sent: Invoice, client: Client
) -> None:
    site.stand.pay_invoice(sent.number, organisation=ORGANISATION)
    payments.mark_paid(sent, by=None)
    deliver(site, client)
    drain_inbox(Budget())
    for _ in range(3):
        site.serve()
    sent.refresh_from_db()
    assert sent.amount_paid == Decimal(119)
    assert Wallet.objects.of(site.website).get().balance == Decimal(119)


def test_a_void_there_is_a_void_here(site: Site, sent: Invoice, client: Client) -> None:
    site.stand.void_invoice(sent.number, organisation=ORGANISATION)
    deliver(site, client)
    drain_inbox(Budget())
    site.serve()
    sent.refresh_from_db()
    assert sent.status == Invoice.Status.VOID
    site.serve()
    assert site.link(Kind.INVOICE).last_error == ""


def test_a_void_here_is_a_void_there(site: Site, sent: Invoice) -> None:
    sent.void(reason="Ordered twice")
    site.serve()
    (there,) = site.stand.app(ORGANISATION).books.invoices.find("InvoiceNumber", sent.number)
    assert there["Status"] == "VOIDED"


def test_a_changed_total_there_is_shown_not_taken_over(
    site: Site, sent: Invoice, client: Client
) -> None:
    lines = [{"Description": "More", "Quantity": "1", "UnitAmount": "500.00", "AccountCode": "200"}]
    site.stand.edit_invoice(sent.number, {"LineItems": lines}, organisation=ORGANISATION)
    deliver(site, client)
    drain_inbox(Budget())
    site.serve()
    sent.refresh_from_db()
    assert sent.amount == Decimal(119)
    assert "there" in site.link(Kind.INVOICE).difference


def test_news_of_what_is_not_fetched_leaves_nothing_to_do(site: Site, client: Client) -> None:
    """Or a worker would find the connection to have work for ever."""
    account = site.customer()
    site.serve()
    fields = {"FirstName": "Annabel"}
    site.stand.edit_contact(account.customer_key, fields, organisation=ORGANISATION)
    assert deliver(site, client) == [200]
    drain_inbox(Budget())
    outcomes = InboundEvent.objects.filter(kind="contacts").values_list("outcome", flat=True)
    assert set(outcomes) == {"not ours, or not followed: ignored"}
    assert not connections_with_work()


def test_a_repeated_delivery_is_stored_once(site: Site, sent: Invoice, client: Client) -> None:
    site.stand.pay_invoice(sent.number, organisation=ORGANISATION)
    (out,) = site.stand.pending_deliveries(ORGANISATION)
    for _ in range(3):
        client.post(
            "/api/integrations/xero/webhook", out.body, content_type="application/json",
            headers={"x-xero-signature": out.headers["x-xero-signature"]},
        )  # fmt: skip
    assert InboundEvent.objects.count() == 1


def test_any_wrong_byte_is_401_and_stored_nowhere(
    site: Site, sent: Invoice, client: Client
) -> None:
    site.stand.pay_invoice(sent.number, organisation=ORGANISATION)
    (out,) = site.stand.pending_deliveries(ORGANISATION)
    signature = out.headers["x-xero-signature"]
    for at in range(0, len(out.body), 7):
        body = out.body[:at] + bytes([out.body[at] ^ 1]) + out.body[at + 1 :]
        answer = client.post(
            "/billing/xero/webhooks/", body, content_type="application/json",
            headers={"x-xero-signature": signature},
        )  # fmt: skip
        assert answer.status_code == 401
    assert not InboundEvent.objects.exists()


def test_the_answer_is_empty_and_sets_no_cookie(site: Site, sent: Invoice, client: Client) -> None:
    site.stand.pay_invoice(sent.number, organisation=ORGANISATION)
    (out,) = site.stand.pending_deliveries(ORGANISATION)
    answer = client.post(
        "/billing/xero/webhooks/", out.body, content_type="application/json",
        headers={"x-xero-signature": out.headers["x-xero-signature"]},
    )  # fmt: skip
    assert (answer.status_code, answer.content, answer.cookies) == (200, b"", {})


def test_what_webhooks_lost_the_catch_up_finds(
    site: Site, sent: Invoice, now: VirtualClock
) -> None:
    now.advance(timedelta(seconds=5))
    site.stand.pay_invoice(sent.number, organisation=ORGANISATION)
    now.advance(timedelta(minutes=20))
    site.serve()
    site.serve()
    sent.refresh_from_db()
    assert sent.status == Invoice.Status.PAID


def test_forty_changed_invoices_are_fetched_in_one_call(site: Site, now: VirtualClock) -> None:
    account = site.customer()
    for _ in range(40):
        site.invoice(account)
    site.serve()
    Link.objects.filter(kind=Kind.INVOICE.value).update(
        update_needed=True, update_marked_at=now.now()
    )
    before = len(site.stand.calls)
    site.serve()
    assert len(list(site.stand.calls)[before:]) == 1
    assert not Link.objects.filter(update_needed=True).exists()


def news(site: Site, client: Client) -> None:
    """What the sandbox has to tell arrives and is taken over."""
    deliver(site, client)
    drain_inbox(Budget())
    site.serve()


def test_a_payment_removed_there_and_entered_again_is_one_payment(
    site: Site, sent: Invoice, client: Client
) -> None:
    paid = site.stand.pay_invoice(sent.number, organisation=ORGANISATION)
    news(site, client)
    site.stand.delete_payment(str(paid["payment"]), organisation=ORGANISATION)
    news(site, client)
    assert "was removed there" in site.link(Kind.INVOICE).difference
    site.stand.pay_invoice(sent.number, organisation=ORGANISATION)
    news(site, client)
    assert Payment.objects.of(site.website).count() == 1
    assert not Wallet.objects.of(site.website).exists()
    assert site.link(Kind.INVOICE).difference == ""


def test_our_payment_removed_there_is_shown(site: Site, sent: Invoice, client: Client) -> None:
    payments.mark_paid(sent, by=None)
    site.serve()
    (key,) = site.made("payments")
    site.stand.delete_payment(key, organisation=ORGANISATION)
    news(site, client)
    sent.refresh_from_db()
    assert sent.is_paid
    assert "was removed there" in site.link(Kind.INVOICE).difference
    assert site.made("payments") == {key: 1}, "nor is it sent once more"


def test_another_amount_in_place_of_a_removed_payment_is_no_credit(
    site: Site, sent: Invoice, client: Client
) -> None:
    paid = site.stand.pay_invoice(sent.number, organisation=ORGANISATION)
    news(site, client)
    site.stand.delete_payment(str(paid["payment"]), organisation=ORGANISATION)
    site.stand.pay_invoice(sent.number, "100.00", organisation=ORGANISATION)
    news(site, client)
    assert not Wallet.objects.of(site.website).exists()
    assert "in place of another" in site.link(Kind.INVOICE).difference


def test_one_record_that_fails_does_not_keep_the_others(
    site: Site, sent: Invoice, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = site.invoice(site.customer("bert"))
    site.serve()
    told = sync.sync_of("billing.Invoice")
    apply = told.apply

    def fails_for_one(link: Link, found: RemoteInvoice) -> str:
        if link.local_id == str(sent.pk):
            raise ZeroDivisionError
        return apply(link, found)

    monkeypatch.setattr(told, "apply", fails_for_one)
    for invoice in (sent, other):
        site.stand.pay_invoice(invoice.number, organisation=ORGANISATION)
    news(site, client)
    other.refresh_from_db()
    assert other.is_paid
    failed = Link.objects.get(local_id=str(sent.pk), kind=Kind.INVOICE.value)
    assert "ZeroDivisionError" in failed.difference
    assert not failed.update_needed
