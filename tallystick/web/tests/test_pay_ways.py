"""The pay page: ways to pay that lead elsewhere, what came in parts, the website's own look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from pytest_django import Settings

from tallystick.accounts.models import Account, Website
from tallystick.accounts.roles import Person
from tallystick.billing import methods, payments
from tallystick.billing.banking.references import grouped, structured_reference
from tallystick.billing.credit_notes import issue_credit_note
from tallystick.billing.invoices import Invoice
from tallystick.billing.methods import PaymentMethod
from tallystick.billing.payments import Payment
from tallystick.billing.tests import samples
from tallystick.kit import clock, colours
from tallystick.kit.money import Money
from tallystick.web import branding
from tallystick.web.tests.test_pay import form_of, path_of

pytestmark = pytest.mark.django_db

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


class Elsewhere(PaymentMethod):
    """A provider of cards, on a page of its own."""

    name = "elsewhere"
    label = "Card"
    address = "https://cards.example/pay/1"

    def may_use(self, invoice: Invoice, user: Person) -> bool:
        return True

    def start(self, payment: Payment, return_url: str) -> str:
        return f"{self.address}?back={return_url}"


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    method = Elsewhere()
    methods.register(method)
    yield method
    del methods._methods[method.name]


def text_of(client: Client, invoice: Invoice) -> str:
    return client.get(path_of(invoice)).content.decode()


class TestShortWallet:
    """Less in it than is due, where parts are not allowed: it cannot pay."""

    @pytest.fixture
    def short(self, client: Client, account: Account) -> Client:
        samples.fill_wallet(account, "5.00")
        assert account.user is not None
        client.force_login(account.user)
        return client

    def test_stands_last_and_is_not_chosen(self, short: Client, invoice: Invoice) -> None:
        radios = re.findall(r'<input class="radio"[^>]*>', text_of(short, invoice))
        assert 'value="bank_transfer" checked' in radios[0]
        assert 'value="wallet" disabled' in radios[-1]

    def test_is_chosen_where_parts_are_allowed(
        self, short: Client, website: Website, invoice: Invoice
    ) -> None:
        Website.objects.filter(pk=website.pk).update(allow_part_payments=True)
        assert 'value="wallet" checked required' in text_of(short, invoice)

    def test_alone_it_makes_no_button(self, short: Client, account: Account) -> None:
        Website.objects.filter(pk=account.website_id).update(iban="")
        account.website.refresh_from_db()
        text = text_of(short, samples.invoice(account))
        assert 'value="wallet" disabled' in text
        assert '<button class="btn btn-primary">' not in text


class TestElsewhere:
    def go(self, client: Client, invoice: Invoice) -> str:
        answer = client.post(path_of(invoice), form_of(client, invoice) | {"method": "elsewhere"})
        assert answer.status_code == 200
        return answer.content.decode()

    def test_leads_there_and_back_without_scripts(
        self, client: Client, invoice: Invoice, elsewhere: Elsewhere
    ) -> None:
        text = self.go(client, invoice)
        target = f"{elsewhere.address}?back=http://testserver{path_of(invoice)}"
        assert f'<meta http-equiv="refresh" content="0;url={target}">' in text
        assert f'href="{target}"' in text
        assert "Nothing has been paid yet" in text

    def test_is_never_called_paid_before_it_is(
        self, client: Client, invoice: Invoice, elsewhere: Elsewhere
    ) -> None:
        self.go(client, invoice)
        text = text_of(client, invoice)
        assert "We are waiting for your bank." in text
        assert '<meta http-equiv="refresh" content="5">' in text
        assert "Paid on" not in text
        invoice.payments.get().succeed()
        text = text_of(client, invoice)
        assert "Paid on" in text
        assert "refresh" not in text

    def test_a_form_that_is_sent_twice_begins_one_payment(
        self, client: Client, invoice: Invoice, elsewhere: Elsewhere
    ) -> None:
        form = form_of(client, invoice) | {"method": "elsewhere"}
        answers = [client.post(path_of(invoice), form) for _ in range(2)]
        assert {answer.status_code for answer in answers} == {200}
        assert invoice.payments.count() == 1

    def test_what_was_left_is_not_waited_for(
        self, client: Client, invoice: Invoice, elsewhere: Elsewhere
    ) -> None:
        self.go(client, invoice)
        with clock.use(clock.VirtualClock(clock.now() + timedelta(minutes=31))):
            assert "We are waiting" not in text_of(client, invoice)

    def test_what_a_bank_works_on_is_waited_for_without_asking_again(
        self, client: Client, invoice: Invoice, elsewhere: Elsewhere
    ) -> None:
        self.go(client, invoice)
        invoice.payments.get().process()
        with clock.use(clock.VirtualClock(clock.now() + timedelta(days=1))):
            text = text_of(client, invoice)
        assert "We are waiting" in text
        assert "refresh" not in text

    def test_what_failed_is_not_waited_for(
        self, client: Client, invoice: Invoice, elsewhere: Elsewhere
    ) -> None:
        self.go(client, invoice)
        invoice.payments.get().fail("Card refused")
        assert "We are waiting" not in text_of(client, invoice)

    def test_nowhere_but_to_the_web(
        self, client: Client, invoice: Invoice, elsewhere: Elsewhere
    ) -> None:
        elsewhere.address = "javascript:alert(1)"
        with pytest.raises(ValueError, match="no web address"):
            self.go(client, invoice)


class TestParts:
    def test_what_came_and_what_was_credited_is_told(
        self, client: Client, invoice: Invoice
    ) -> None:
        payments.pay(invoice, Money.parse("255.73", "EUR"), method="manual", by=None)
        note = issue_credit_note(
            invoice, reason="Late", by=None, amount=Money.parse("1000.00", "EUR")
        )
        text = text_of(client, invoice)
        for words in (
            '<h1 class="amount" id="asked">4,000.00',
            "255.73 of 5,255.73 EUR has arrived",
            "1,000.00 of 5,255.73 EUR was credited",
            note.number,
            "Receipt (PDF)",
        ):
            assert words in text
        found = re.findall(rf'href="({path_of(invoice)}(?:receipt|credit-note)/[^"]+)"', text)
        assert len(found) == 2
        for path in found:
            assert client.get(path).content.startswith(b"%PDF")

    def test_every_payment_has_its_receipt(self, client: Client, invoice: Invoice) -> None:
        payments.pay(invoice, Money.parse("255.73", "EUR"), method="manual", by=None)
        payments.mark_paid(invoice, by=None)
        assert len(re.findall(r"/receipt/[^/]+/pdf/", text_of(client, invoice))) == 2

    def test_credited_whole_is_not_called_paid(self, client: Client, invoice: Invoice) -> None:
        issue_credit_note(invoice, reason="Never delivered", by=None)
        text = text_of(client, invoice)
        assert "Credited: nothing is left to pay" in text
        assert "has received this payment" not in text

    def test_a_receipt_over_several_is_not_shown_to_a_link_of_one(
        self, client: Client, account: Account, invoice: Invoice
    ) -> None:
        other = samples.invoice(account)
        payment = payments.pay_many(
            account,
            [(invoice, invoice.amount_due), (other, other.amount_due)],
            method="manual",
            by=None,
        )
        text = text_of(client, invoice)
        assert "Paid on" in text
        assert "/receipt/" not in text
        path = f"{path_of(invoice)}receipt/{payment.uid}/pdf/"
        assert client.get(path).status_code == 404

    def test_a_credit_note_of_another_invoice(
        self, client: Client, account: Account, invoice: Invoice
    ) -> None:
        other = samples.invoice(account)
        note = issue_credit_note(other, reason="Late", by=None)
        assert client.get(f"{path_of(invoice)}credit-note/{note.uid}/pdf/").status_code == 404


class TestTransfer:
    def test_names_the_structured_reference(self, client: Client, invoice: Invoice) -> None:
        assert grouped(structured_reference(invoice)) in text_of(client, invoice)

    def test_a_code_for_banking_apps(self, client: Client, invoice: Invoice) -> None:
        assert f'src="{path_of(invoice)}transfer.svg"' in text_of(client, invoice)
        answer = client.get(f"{path_of(invoice)}transfer.svg")
        assert answer["Content-Type"] == "image/svg+xml"
        assert b"style" not in answer.content

    def test_none_in_another_currency(self, client: Client, account: Account) -> None:
        invoice = samples.invoice(account, currency="USD")
        assert "transfer.svg" not in text_of(client, invoice)
        assert client.get(f"{path_of(invoice)}transfer.svg").status_code == 404


class TestLook:
    def test_the_websites_colour_where_it_can_be_read(
        self, client: Client, website: Website, invoice: Invoice
    ) -> None:
        Website.objects.filter(pk=website.pk).update(accent_colour="#1d4ed8")
        answer = client.get(path_of(invoice))
        text = answer.content.decode()
        found = re.search(r'<style nonce="([^"]+)">:root\{--accent:#1d4ed8', text)
        assert found
        assert f"'nonce-{found[1]}'" in answer["Content-Security-Policy"]
        assert "unsafe" not in answer["Content-Security-Policy"]

    @pytest.mark.parametrize("colour", ["", "#ffff00", "#e0e0e0"])
    def test_ours_otherwise(self, colour: str) -> None:
        assert branding.style(colour) == ""

    @pytest.mark.parametrize("colour", ["#000000", "#1d4ed8", "#7f1d1d", "#14573c", "#4b0082"])
    def test_it_can_be_read_in_the_dark_too(self, colour: str) -> None:
        lifted = re.findall(r"--accent:(#[0-9a-f]{6})", branding.style(colour))[1]
        assert colours.is_readable(lifted, "#131a22")

    @pytest.fixture(autouse=True)
    def _media(self, settings: Settings, tmp_path: Path) -> None:
        settings.MEDIA_ROOT = tmp_path

    def test_the_logo(self, client: Client, website: Website, invoice: Invoice) -> None:
        website.logo.save("mark.png", ContentFile(PNG))
        found = re.search(r'<img src="([^"]+)" alt="Northwind Studio">', text_of(client, invoice))
        assert found
        answer = client.get(found[1])
        assert (answer["Content-Type"], answer.content) == ("image/png", PNG)
        assert answer["X-Content-Type-Options"] == "nosniff"

    def test_a_logo_that_is_no_picture(self, client: Client, website: Website) -> None:
        website.logo.save("mark.png", ContentFile(b"<svg onload=alert(1)>"))
        assert client.get(f"/look/{website.uid}/logo").status_code == 404

    def test_no_logo(self, client: Client, website: Website) -> None:
        assert client.get(f"/look/{website.uid}/logo").status_code == 404
