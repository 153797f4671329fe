from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from tallystick.billing import methods, paylinks, tokens
from tallystick.billing.emails import Email
from tallystick.billing.invoices import Invoice
from tallystick.billing.paylinks import LinkState, ReplacedLink, UnknownLink
from tallystick.billing.payments import Payment, mark_paid, pay, refund
from tallystick.billing.refusals import LinkUsed
from tallystick.billing.states import WrongState
from tallystick.billing.tests import making
from tallystick.billing.tests.making import eur
from tallystick.billing.tests.test_payments import Slow
from tallystick.events.models import Event
from tallystick.kit import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def slow() -> Iterator[None]:
    methods.register(Slow())
    yield
    del methods._methods["slow"]


def test_a_token_opens_its_invoice(invoice: Invoice) -> None:
    assert invoice.payment_token.startswith(f"INV-{invoice.reference_id}-")
    assert len(invoice.payment_token) <= 128
    assert paylinks.find(invoice.payment_token) == invoice
    assert paylinks.state(invoice) == LinkState.USABLE
    domain = invoice.website.domain
    assert invoice.url == f"https://{domain}/pay/invoice/{invoice.payment_token}/"


@pytest.mark.parametrize(
    "token",
    ["", "INV", "x" * 5000, "INV-\0-" + "a" * 43, "INV-000000000000-" + "\udcff" * 43, "İNV-é"],
)
def test_a_mangled_token_opens_nothing(invoice: Invoice, token: str) -> None:
    for mangled in (token, invoice.payment_token[:-1], invoice.payment_token.lower()):
        with pytest.raises(UnknownLink):
            paylinks.find(mangled)


def test_unknown_tokens_take_the_same_way(
    invoice: Invoice, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    near = invoice.payment_token[:-1] + ("A" if invoice.payment_token[-1] != "A" else "B")
    for token in (near, tokens.new_payment_token("000000000000"), "nonsense", "\0"):
        with django_assert_num_queries(2), pytest.raises(UnknownLink):
            paylinks.find(token)


def test_a_draft_has_no_link(draft: Invoice) -> None:
    with pytest.raises(UnknownLink):
        paylinks.find(draft.payment_token)
    with pytest.raises(WrongState):
        paylinks.renew(draft)
    assert paylinks.state(draft) == LinkState.UNKNOWN


def test_it_expires_at_the_end_of_its_last_day(invoice: Invoice) -> None:
    expiry = invoice.token_expires_at
    assert expiry is not None
    assert paylinks.state(invoice, expiry - timedelta(seconds=1)) == LinkState.USABLE
    assert paylinks.state(invoice, expiry) == LinkState.EXPIRED
    mark_paid(invoice, by=None)
    assert paylinks.state(invoice, expiry) == LinkState.PAID


def test_the_last_day_ends_where_the_website_is() -> None:
    assert (
        tokens.expiry(date(2026, 1, 1), "Europe/Berlin").isoformat() == "2026-01-31T23:00:00+00:00"
    )


def test_revoked_means_closed(invoice: Invoice) -> None:
    paylinks.revoke(invoice)
    paylinks.revoke(invoice)
    assert paylinks.state(paylinks.find(invoice.payment_token)) == LinkState.REVOKED
    assert Event.objects.of(invoice.website).filter(kind="invoice.link_revoked").count() == 1
    invoice.void(reason="mistake")
    assert paylinks.state(invoice) == LinkState.REVOKED


def test_a_void_invoice_says_so(invoice: Invoice) -> None:
    invoice.void(reason="mistake")
    assert paylinks.state(paylinks.find(invoice.payment_token)) == LinkState.VOID


def test_renewing_makes_a_new_link_and_retires_the_old(invoice: Invoice) -> None:
    old = invoice.payment_token
    paylinks.revoke(invoice)
    url = paylinks.renew(invoice)
    assert invoice.payment_token in url
    assert invoice.payment_token != old
    assert paylinks.state(paylinks.find(invoice.payment_token)) == LinkState.USABLE
    with pytest.raises(ReplacedLink):
        paylinks.find(old)


def by_link(invoice: Invoice, amount: str) -> Payment:
    return pay(invoice, eur(amount), method="manual", by=None, link=invoice.payment_token)


def test_a_link_for_one_use_is_used_up_by_a_part_payment(
    draft: Invoice, settings: Settings
) -> None:
    settings.PAYMENT_LINK_ONE_USE = True
    invoice = making.draft(draft.client)
    draft.issue()
    invoice.issue()
    for each in (draft, invoice):
        by_link(each, "19")
    assert paylinks.state(draft) == LinkState.USABLE
    assert paylinks.state(invoice) == LinkState.USED
    with pytest.raises(LinkUsed):
        by_link(invoice, "1")
    paylinks.renew(invoice)
    assert paylinks.state(invoice) == LinkState.USABLE
    by_link(invoice, "1")
    assert paylinks.state(invoice) == LinkState.USED


def test_what_staff_record_and_refund_neither_uses_a_link_nor_gives_it_back(
    draft: Invoice,
) -> None:
    invoice = making.draft(draft.client, link_one_use=True)
    invoice.issue()
    recorded = pay(invoice, eur("30"), method="manual", by=None)
    assert paylinks.state(invoice) == LinkState.USABLE
    paylinks.renew(invoice)
    refund(recorded, eur("30"), by=None, reason="mistake")
    used = by_link(invoice, "10")
    assert paylinks.state(invoice) == LinkState.USED
    refund(used, eur("10"), by=None, reason="mistake")
    invoice.refresh_from_db()
    assert (invoice.amount_paid, paylinks.state(invoice)) == (Decimal(0), LinkState.USED)


@pytest.mark.usefixtures("slow")
def test_a_try_that_fails_does_not_use_a_link(draft: Invoice) -> None:
    draft.website.allow_part_payments = True
    draft.website.save()
    invoice = making.draft(draft.client, link_one_use=True)
    invoice.issue()
    link = invoice.payment_token
    pay(invoice, eur("10"), method="slow", by=None, link=link).fail("declined")
    assert paylinks.state(invoice) == LinkState.USABLE
    pay(invoice, eur("10"), method="slow", by=None, link=link).succeed()
    assert paylinks.state(invoice) == LinkState.USED


def test_one_use_can_be_said_of_one_invoice(draft: Invoice) -> None:
    invoice = making.draft(draft.client, link_one_use=True)
    invoice.issue()
    by_link(invoice, "19")
    assert paylinks.state(invoice) == LinkState.USED
    paylinks.make(invoice, one_use=False)
    by_link(invoice, "1")
    assert paylinks.state(invoice) == LinkState.USABLE


def test_making_a_link_twice_makes_one(invoice: Invoice) -> None:
    there = invoice.url
    assert paylinks.make(invoice) == paylinks.make(invoice) == there
    paylinks.revoke(invoice)
    made = paylinks.make(invoice)
    assert made != there
    assert paylinks.make(invoice) == made
    mark_paid(invoice, by=None)
    with pytest.raises(WrongState):
        paylinks.make(invoice)


def test_a_link_ends_when_it_is_told_to(invoice: Invoice) -> None:
    end = clock.now() + timedelta(hours=3)
    token = invoice.payment_token
    paylinks.expire_at(invoice, end, reason="a promise on the telephone")
    assert invoice.payment_token == token
    assert paylinks.state(invoice, end - timedelta(seconds=1)) == LinkState.USABLE
    assert paylinks.state(invoice, end) == LinkState.EXPIRED
    paylinks.renew(invoice, expires_at=end)
    assert invoice.token_expires_at == end
    naive = datetime(2030, 1, 1)  # noqa: DTZ001 - without a zone on purpose
    for wrong in (clock.now(), naive, datetime.max.replace(tzinfo=UTC)):
        with pytest.raises(paylinks.BadExpiry):
            paylinks.expire_at(invoice, wrong)
        with pytest.raises(paylinks.BadExpiry):
            paylinks.renew(invoice, expires_at=wrong)


def test_the_sites_own_domain_is_served_as_the_site_is(settings: Settings) -> None:
    settings.PUBLIC_URL = "http://localhost:8000"
    assert tokens.payment_url("localhost:8000", "T") == "http://localhost:8000/pay/invoice/T/"
    assert tokens.payment_url("localhost", "T") == "http://localhost:8000/pay/invoice/T/"
    assert tokens.payment_url("pay.example", "T") == "https://pay.example/pay/invoice/T/"


@pytest.mark.parametrize(
    ("domain", "scheme"),
    [
        ("127.0.0.1:8000", "http"),
        ("[::1]:8000", "http"),
        ("clinic.localhost", "http"),
        ("10.0.0.1", "https"),
        ("localhost.example", "https"),
    ],
)
def test_another_site_on_the_same_machine_is_served_as_the_first(
    settings: Settings, domain: str, scheme: str
) -> None:
    settings.PUBLIC_URL = "http://localhost:8000"
    assert tokens.payment_url(domain, "T") == f"{scheme}://{domain}/pay/invoice/T/"
    settings.PUBLIC_URL = "https://pay.example"
    assert tokens.payment_url(domain, "T") == f"https://{domain}/pay/invoice/T/"


def test_no_mail_goes_out_with_a_revoked_link(invoice: Invoice) -> None:
    Email.objects.all().delete()
    paylinks.revoke(invoice)
    with pytest.raises(WrongState, match="Make a new payment link first"):
        invoice.send_email()
    assert not Email.objects.exists()
    paylinks.renew(invoice)
    assert invoice.send_email().invoice == invoice


def test_no_mail_goes_out_with_an_expired_link(invoice: Invoice) -> None:
    Invoice.objects.of(invoice.website).update(token_expires_at=clock.now())
    invoice.refresh_from_db()
    with pytest.raises(WrongState, match="has expired"):
        invoice.send_email()


def test_staff_are_told_to_renew_a_revoked_link_first(invoice: Invoice, client: Client) -> None:
    client.force_login(making.staff(invoice.website))
    paylinks.revoke(invoice)
    page = reverse("admin:billing_invoice_act", args=[invoice.pk, "send"])
    assert "Make a new payment link first" in client.post(page).content.decode()
    assert Email.objects.count() == 1
