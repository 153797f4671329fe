"""The pay page, as its readers meet it."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from tallystick.accounts.models import Account, Website
from tallystick.billing import link_log, paylinks, payments
from tallystick.billing.invoices import Invoice
from tallystick.billing.lines import LineDraft
from tallystick.billing.payments import Payment
from tallystick.billing.tests import samples
from tallystick.events.models import Event
from tallystick.kit import clock
from tallystick.kit.masking import MaskTokens
from tallystick.people.models import User

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse

pytestmark = pytest.mark.usefixtures("healthy")


def user_of(account: Account) -> User:
    assert account.user is not None
    return account.user


def path_of(invoice: Invoice) -> str:
    return f"/pay/invoice/{invoice.payment_token}/"


def form_of(client: Client, invoice: Invoice) -> dict[str, str]:
    """The hidden values of the form that pays."""
    text = client.get(path_of(invoice)).content.decode()
    found = re.findall(r'<input type="hidden" name="(key|currency|due)" value="([^"]*)"', text)
    return dict(found)


def pay(client: Client, invoice: Invoice, **changes: str) -> _MonkeyPatchedWSGIResponse:
    form = form_of(client, invoice) | {"method": "wallet"} | changes
    return client.post(path_of(invoice), form)


@pytest.fixture
def signed_in(client: Client, account: Account) -> Client:
    client.force_login(user_of(account))
    return client


class TestAsking:
    def test_says_who_asks_how_much_and_until_when(self, client: Client, invoice: Invoice) -> None:
        text = client.get(path_of(invoice)).content.decode()
        for word in (
            "Northwind Studio asks you to pay",
            "5,255.73",
            "EUR",
            "Due on",
            "İsmail Şahin",
        ):
            assert word in text

    def test_shows_the_bank_account_with_the_reference(
        self, client: Client, invoice: Invoice
    ) -> None:
        text = client.get(path_of(invoice)).content.decode()
        assert "GB33 BUKB 2020 1555 5555 55" in text
        assert invoice.reference_id in text

    def test_asking_for_it_changes_nothing_but_the_log(
        self, client: Client, invoice: Invoice
    ) -> None:
        before = Invoice.objects.everywhere().values().get(pk=invoice.pk)
        events = Event.objects.everywhere().count()
        with clock.use(clock.VirtualClock(clock.now())):
            for _ in range(3):
                client.get(path_of(invoice))
        assert Invoice.objects.everywhere().values().get(pk=invoice.pk) == before
        assert Event.objects.everywhere().count() == events
        assert [seen.kind for seen in link_log.of(invoice)] == ["viewed"]

    def test_is_noted_again_after_an_hour_and_from_elsewhere(
        self, client: Client, invoice: Invoice
    ) -> None:
        from django.core.cache import cache

        with clock.use(clock.VirtualClock(clock.now())) as time:
            client.get(path_of(invoice))
            cache.clear()  # what the cache forgets, the log knows
            client.get(path_of(invoice))
            assert link_log.of(invoice).count() == 1
            client.get(path_of(invoice), REMOTE_ADDR="192.0.2.7")
            assert link_log.of(invoice).count() == 2
            cache.clear()
            time.advance(timedelta(minutes=61))
            client.get(path_of(invoice))
        seen = link_log.of(invoice)
        assert [each.address_shown for each in seen] == ["127.0.0.1", "192.0.2.7", "127.0.0.1"]
        assert all("127.0.0.1" not in each.address for each in seen)

    def test_takes_few_queries(
        self,
        signed_in: Client,
        account: Account,
        invoice: Invoice,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        samples.fill_wallet(account, "100.00")
        signed_in.get(path_of(invoice))
        with django_assert_max_num_queries(6):
            signed_in.get(path_of(invoice))

    def test_takes_few_queries_the_first_time(
        self,
        client: Client,
        invoice: Invoice,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        with django_assert_max_num_queries(6):
            client.get(path_of(invoice))

    def test_weighs_less_than_60_kb(self, client: Client, invoice: Invoice) -> None:
        static = Path(settings.BASE_DIR) / "tallystick/web/static/web"
        css = static / "site.css"
        fonts = [static / f"fonts/hanken-grotesk-{part}.woff2" for part in _FONTS]
        files = sum(file.stat().st_size for file in [css, static / "mark.svg", *fonts])
        # The fonts of Latin Extended come only where a name needs them: they are counted too,
        # and nothing is counted as compressed but what already is.
        import gzip

        page = client.get(path_of(invoice)).content
        files += len(gzip.compress(css.read_bytes())) - css.stat().st_size
        assert files + len(page) < 60_000

    def test_brings_nothing_inline_and_nothing_from_elsewhere(
        self, client: Client, invoice: Invoice
    ) -> None:
        answer = client.get(path_of(invoice))
        text = answer.content.decode()
        assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=|javascript:", text)
        assert not re.search(r'(src|href|action)="(https?:)?//', text)
        policy = answer["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy

    def test_its_token_is_in_no_log(self, invoice: Invoice) -> None:
        record = logging.LogRecord("x", logging.INFO, "", 0, "Gone: %s", (path_of(invoice),), None)
        for handler in cast("Any", settings.LOGGING)["handlers"].values():
            assert handler["filters"] == ["tokens"]
        assert MaskTokens().filter(record)
        assert record.getMessage() == f"Gone: /pay/invoice/INV-{invoice.reference_id}-***/"

    def test_is_kept_by_nobody(self, client: Client, invoice: Invoice) -> None:
        answer = client.get(path_of(invoice))
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] == "same-origin"
        assert "noindex" in answer["X-Robots-Tag"]

    @pytest.mark.parametrize("language", ["en", "de", "fr", "es", "tr"])
    def test_speaks_the_readers_language(
        self, client: Client, invoice: Invoice, language: str
    ) -> None:
        client.post("/language/setlang/", {"language": language, "next": path_of(invoice)})
        text = client.get(path_of(invoice)).content.decode()
        assert f'<html lang="{language}">' in text
        assert _ASKS[language] in text

    def test_offers_to_sign_in_for_the_wallet(self, client: Client, invoice: Invoice) -> None:
        text = client.get(path_of(invoice)).content.decode()
        assert f"/accounts/login/?next={path_of(invoice)}".replace("/pay", "%2Fpay") or text
        assert "Sign in to pay from your wallet" in text


_FONTS = ("latin-400", "latin-600", "latin-ext-400", "latin-ext-600")
_ASKS = {
    "en": "asks you to pay",
    "de": "bittet um Zahlung",
    "fr": "vous demande",
    "es": "le pide",
    "tr": "ödeme",
}


class TestPaying:
    def test_by_wallet(self, signed_in: Client, account: Account, invoice: Invoice) -> None:
        samples.fill_wallet(account, "6000.00")
        answer = pay(signed_in, invoice)
        assert (answer.status_code, answer["Location"]) == (303, path_of(invoice))
        text = signed_in.get(path_of(invoice)).content.decode()
        assert "Paid on" in text
        assert "Download the receipt (PDF)" in text

    def test_twice_with_one_form_pays_once(
        self, signed_in: Client, account: Account, website: Website, invoice: Invoice
    ) -> None:
        Website.objects.filter(pk=website.pk).update(allow_part_payments=True)
        samples.fill_wallet(account, "6000.00")
        form = form_of(signed_in, invoice)
        form |= {"method": "wallet", "amount": "10.00"}
        for _ in range(2):
            assert signed_in.post(path_of(invoice), form).status_code == 303
        assert Payment.objects.of(website).count() == 1

    def test_too_little_in_the_wallet(
        self, signed_in: Client, account: Account, invoice: Invoice
    ) -> None:
        samples.fill_wallet(account, "5.00")
        answer = pay(signed_in, invoice)
        assert answer.status_code == 422
        assert "There is not enough in the wallet" in answer.content.decode()

    def test_signed_out_leads_to_the_log_in(self, client: Client, invoice: Invoice) -> None:
        answer = pay(client, invoice)
        assert answer["Location"].startswith("/accounts/login/?next=/pay/")

    def test_a_strangers_wallet_does_not_pay(
        self, client: Client, website: Website, invoice: Invoice
    ) -> None:
        stranger = samples.client(website, "stranger")
        samples.fill_wallet(stranger, "6000.00")
        client.force_login(user_of(stranger))
        answer = pay(client, invoice)
        assert answer.status_code == 422
        assert "not as someone of the account" in answer.content.decode()

    def test_by_transfer_leads_to_the_account(self, client: Client, invoice: Invoice) -> None:
        answer = pay(client, invoice, method="manual")
        assert answer["Location"] == f"{path_of(invoice)}#bank"
        assert not Payment.objects.everywhere().exists()

    def test_paid_meanwhile_shows_the_receipt(
        self, signed_in: Client, account: Account, invoice: Invoice
    ) -> None:
        samples.fill_wallet(account, "9000.00")
        form = form_of(signed_in, invoice) | {"method": "wallet"}
        payments.mark_paid(invoice, by=None)
        answer = signed_in.post(path_of(invoice), form, follow=True)
        assert "Paid on" in answer.content.decode()
        assert Payment.objects.everywhere().count() == 1

    def test_what_costs_nothing_has_no_receipt(self, signed_in: Client, account: Account) -> None:
        free = samples.invoice(account, lines=[LineDraft("A gift", unit_price=Decimal(0))])
        for path in (path_of(free), f"/portal/invoices/{free.uid}/"):
            text = signed_in.get(path).content.decode()
            assert "Nothing to pay" in text
            for word in ("Receipt", "has received", "Paid on"):
                assert word not in text, path

    def test_by_a_link_for_one_use_once(
        self, signed_in: Client, account: Account, website: Website
    ) -> None:
        Website.objects.filter(pk=website.pk).update(allow_part_payments=True)
        account.website.refresh_from_db()
        samples.fill_wallet(account, "6000.00")
        invoice = samples.invoice(account, link_one_use=True)
        form = form_of(signed_in, invoice) | {"method": "wallet", "amount": "10"}
        for _time in range(2):
            assert signed_in.post(path_of(invoice), form).status_code == 303
        assert signed_in.get(path_of(invoice)).status_code == 410
        assert [each.amount for each in invoice.payments.all()] == [Decimal(10)]

    @pytest.mark.parametrize("method", ["", "stripe", "card", "\x00", "manual "])
    def test_an_unknown_method(self, signed_in: Client, invoice: Invoice, method: str) -> None:
        assert pay(signed_in, invoice, method=method).status_code == 422

    def test_not_what_the_page_showed(
        self, signed_in: Client, account: Account, invoice: Invoice
    ) -> None:
        samples.fill_wallet(account, "9000.00")
        assert "has changed" in pay(signed_in, invoice, due="1.00").content.decode()

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ("5255.74", "more than is due"),
            ("99999999999999999999", "not an amount"),
            ("abc", "not an amount"),
            ("-5", "not an amount"),
            ("0", "not an amount"),
            ("1e3", "not an amount"),
            ("10.001", "not an amount"),
            ("", "not an amount"),
            ("\u0661\u0662", "not an amount"),
        ],
    )
    def test_a_part_that_is_none(
        self, signed_in: Client, account: Account, website: Website, typed: str, said: str
    ) -> None:
        Website.objects.filter(pk=website.pk).update(allow_part_payments=True)
        account.website.refresh_from_db()
        samples.fill_wallet(account, "6000.00")
        answer = pay(signed_in, samples.invoice(account), amount=typed)
        text = answer.content.decode()
        assert answer.status_code == 422
        assert said in text
        assert 'aria-invalid="true"' in text

    def test_another_currency(self, signed_in: Client, account: Account, invoice: Invoice) -> None:
        samples.fill_wallet(account, "6000.00")
        text = pay(signed_in, invoice, currency="USD").content.decode()
        assert "another currency" in text

    def test_a_part_as_a_german_types_it(
        self, signed_in: Client, account: Account, website: Website, invoice: Invoice
    ) -> None:
        Website.objects.filter(pk=website.pk).update(allow_part_payments=True)
        samples.fill_wallet(account, "6000.00")
        signed_in.post("/language/setlang/", {"language": "de", "next": "/"})
        assert pay(signed_in, invoice, amount="1.000,50").status_code == 303
        invoice.refresh_from_db()
        assert f"{invoice.amount_paid:.2f}" == "1000.50"


class TestClosed:
    def test_unknown_tokens_are_all_alike(self, client: Client, invoice: Invoice) -> None:
        wrong = invoice.payment_token[:-1] + ("A" if invoice.payment_token[-1] != "A" else "B")
        answers = [client.get(f"/pay/invoice/{token}/") for token in (wrong, "x", "%00", "INV-1-2")]
        assert {answer.status_code for answer in answers} == {404}
        texts = {re.sub(r'value="[^"]*"', "", answer.content.decode()) for answer in answers}
        assert len(texts) == 1

    def test_revoked(self, client: Client, invoice: Invoice) -> None:
        paylinks.revoke(invoice)
        answer = client.get(path_of(invoice))
        assert answer.status_code == 410
        assert "withdrawn" in answer.content.decode()
        assert client.get(path_of(invoice) + "pdf/").status_code == 410

    def test_expired(self, client: Client, invoice: Invoice) -> None:
        with clock.use(clock.VirtualClock(clock.now() + timedelta(days=60))):
            answer = client.get(path_of(invoice))
        assert answer.status_code == 410
        assert "has expired" in answer.content.decode()

    def test_replaced(self, client: Client, invoice: Invoice) -> None:
        old = path_of(invoice)
        paylinks.renew(invoice, reason="sent to the wrong person")
        answer = client.get(old)
        assert answer.status_code == 410
        assert "newer link" in answer.content.decode()
        assert invoice.payment_token not in answer.content.decode()
        assert [each.kind for each in link_log.visits(invoice)] == ["replaced_seen"]

    def test_void(self, client: Client, invoice: Invoice) -> None:
        invoice.void(reason="Made by mistake.")
        answer = client.get(path_of(invoice))
        assert answer.status_code == 200
        assert "You owe nothing" in answer.content.decode()
        assert "Made by mistake" not in answer.content.decode()

    def test_a_closed_link_takes_no_payment(
        self, signed_in: Client, account: Account, invoice: Invoice
    ) -> None:
        samples.fill_wallet(account, "6000.00")
        paylinks.revoke(invoice)
        answer = signed_in.post(path_of(invoice), {"method": "wallet"})
        assert answer.status_code == 303
        assert not Payment.objects.everywhere().exists()

    def test_another_method_of_asking(self, client: Client, invoice: Invoice) -> None:
        assert client.delete(path_of(invoice)).status_code == 405

    def test_log_in_where_the_site_wants_one(
        self,
        client: Client,
        account: Account,
        website: Website,
        invoice: Invoice,
        settings: Settings,
    ) -> None:
        settings.PAY_PAGE_REQUIRES_LOGIN = True
        assert client.get(path_of(invoice))["Location"].startswith("/accounts/login/")
        client.force_login(user_of(samples.client(website, "stranger")))
        assert client.get(path_of(invoice)).status_code == 403
        client.force_login(user_of(account))
        assert client.get(path_of(invoice)).status_code == 200

    def test_csrf_is_asked_for(self, invoice: Invoice) -> None:
        answer = Client(enforce_csrf_checks=True).post(path_of(invoice), {"method": "wallet"})
        assert answer.status_code == 403
        assert "Nothing was sent" in answer.content.decode()


class TestLimits:
    def test_a_guesser_is_answered_twenty_times_a_minute(
        self, client: Client, invoice: Invoice
    ) -> None:
        codes = [client.get(f"/pay/invoice/{number}/").status_code for number in range(25)]
        assert codes == [404] * 20 + [429] * 5
        assert client.get(path_of(invoice)).status_code == 429

    def test_forwarded_headers_do_not_get_around_it(self, client: Client, db: None) -> None:
        codes = [
            client.get(f"/pay/invoice/{n}/", headers={"X-Forwarded-For": f"10.0.0.{n}"}).status_code
            for n in range(25)
        ]
        assert codes.count(404) == 20

    def test_others_are_not_held_up(self, client: Client, invoice: Invoice) -> None:
        for number in range(25):
            client.get(f"/pay/invoice/{number}/")
        assert client.get(path_of(invoice), REMOTE_ADDR="192.0.2.7").status_code == 200

    def test_a_token_has_a_limit_of_its_own(self, client: Client, invoice: Invoice) -> None:
        codes = [
            client.get(path_of(invoice), REMOTE_ADDR=f"192.0.2.{n}").status_code for n in range(125)
        ]
        assert codes == [200] * 120 + [429] * 5


class TestFiles:
    def test_the_invoice(self, client: Client, invoice: Invoice) -> None:
        answer = client.get(path_of(invoice) + "pdf/")
        assert answer["Content-Type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-1.7")
        assert "no-store" in answer["Cache-Control"]

    def test_the_receipt(self, client: Client, invoice: Invoice) -> None:
        payment = payments.mark_paid(invoice, by=None)
        answer = client.get(f"{path_of(invoice)}receipt/{payment.uid}/pdf/")
        assert answer.content.startswith(b"%PDF-1.7")

    def test_the_receipt_of_another_invoice(
        self, client: Client, account: Account, invoice: Invoice
    ) -> None:
        payment = payments.mark_paid(samples.invoice(account), by=None)
        assert client.get(f"{path_of(invoice)}receipt/{payment.uid}/pdf/").status_code == 404
