"""Invoice and receipt as PDF: what they say, and that nothing written into them breaks them."""

from __future__ import annotations

import io
import json
import re
from decimal import Decimal
from typing import Any, cast

import pytest
from pypdf import PdfReader
from pytest_django import Settings

from tallystick.accounts.models import Account, Website
from tallystick.billing import documents, payments, typesetting
from tallystick.billing.credit_notes import CreditNote, issue_credit_note
from tallystick.billing.invoices import Invoice
from tallystick.billing.letterheads import accent_of
from tallystick.billing.lines import LineDraft
from tallystick.billing.tests import samples
from tallystick.kit.colours import is_readable
from tallystick.kit.money import Money

pytestmark = pytest.mark.django_db

HOSTILE = [
    '#panic("typst") #read("/etc/passwd") #import "x" $ x^2 $ @ref <label> *b* _i_ `code` \\',
    "\x00\x01\x1b[31m\x7f\u200e\u202e\ud800 controls",
    "word" * 400,
    "🧾👩‍👩‍👧‍👦🇹🇷 invoice ✓ ☃",
    "חשבונית עבור שירות",
    "فاتورة الصيانة السنوية",
    "Τιμολόγιο · Счёт-фактура",
    "İstanbul’da ışık, ĞÜŞİÖÇ ğüşıöç",
    "請求書",
    "e\u0301 a\u0308 ﬁ ½ \u202f\u2009\u00a0 …",
    "line one\nline two\r\nline three\u2028four",
    "",
]


def root_of(reader: PdfReader) -> Any:  # noqa: ANN401 - pypdf says no more
    return reader.trailer["/Root"]


def text_of(pdf: bytes) -> str:
    pages = PdfReader(io.BytesIO(pdf)).pages
    return "\n".join(page.extract_text() for page in pages).replace("\u200b", "")


@pytest.fixture
def website() -> Website:
    return samples.studio()


@pytest.fixture
def account(website: Website) -> Account:
    return samples.client(website)


@pytest.fixture
def invoice(account: Account) -> Invoice:
    return samples.invoice(account)


class TestInvoice:
    def test_says_everything(self, invoice: Invoice) -> None:
        text = text_of(documents.invoice_pdf(invoice))
        for word in (
            invoice.number,
            invoice.reference_id,
            "Northwind Studio Ltd",
            "İsmail Şahin",
            "Germany",
            "Annual maintenance of the booking site",
            "less 10% discount",
            "VAT 20%",
            "5,255.73",
            "GB33 BUKB 2020 1555 5555 55",
            "Page 1 of 1",
        ):
            assert word in text, word

    def test_is_archivable_and_accessible(self, invoice: Invoice) -> None:
        reader = PdfReader(io.BytesIO(documents.invoice_pdf(invoice)))
        root = root_of(reader)
        assert root["/MarkInfo"]["/Marked"]
        assert root["/Lang"] == "en-GB"
        assert "/OutputIntents" in root
        assert b"pdfuaid:part" in root["/Metadata"].get_data()
        assert b"<pdfaid:part>3" in root["/Metadata"].get_data()
        assert reader.metadata is not None
        assert invoice.number in (reader.metadata.title or "")

    def test_the_payment_link_can_be_clicked(self, invoice: Invoice) -> None:
        page = PdfReader(io.BytesIO(documents.invoice_pdf(invoice))).pages[0]
        targets = {note.get_object()["/A"]["/URI"] for note in cast("Any", page["/Annots"])}
        assert targets == {invoice.url}

    def test_many_lines_repeat_their_head_on_every_page(self, account: Account) -> None:
        lines = [LineDraft(f"Service number {n}", unit_price=Decimal(n)) for n in range(1, 131)]
        reader = PdfReader(io.BytesIO(documents.invoice_pdf(samples.invoice(account, lines=lines))))
        texts = [page.extract_text() for page in reader.pages]
        assert len(texts) > 2
        rows = [text for text in texts if "Service number" in text]
        assert all("Quantity" in text for text in rows)
        assert f"Page 2 of {len(texts)}" in texts[1]

    @pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
    def test_whatever_is_written_is_only_text(
        self, website: Website, account: Account, hostile: str
    ) -> None:
        # A lone surrogate comes from a broken header; no database keeps one.
        kept = hostile.replace("\ud800", "").replace("\x00", "")
        website.name = website.legal_name = kept[:90] or "x"
        account.line1 = kept[:120]
        lines = [LineDraft(kept or "x", unit_price=Decimal(10))]
        invoice = samples.invoice(account, lines=lines, title=kept[:200], description=kept)
        text = text_of(documents.invoice_pdf(invoice))
        if "panic" in hostile:
            assert '#panic("typst") #read("/etc/passwd")' in re.sub(r"\s+", " ", text)

    @pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
    def test_only_what_the_faces_can_show_is_left(self, hostile: str) -> None:
        shown = typesetting.printable(hostile)
        ranges = json.loads((typesetting.LOOK / "fonts/coverage.json").read_text())
        assert all(
            character == "\n" or any(low <= ord(character) <= high for low, high in ranges)
            for character in shown
        )

    def test_letters_of_other_scripts_stay(self) -> None:
        for text in ("חשבונית", "فاتورة", "Счёт", "Τιμολόγιο", "İğşı", "é"):
            assert typesetting.printable(text) == text
        assert typesetting.printable("e\u0301 \u202f 🧾☃ ﬁ 請") == "é    fi ?"

    @pytest.mark.parametrize(
        ("language", "country", "words"),
        [
            ("de", "DE", ("Rechnung", "5.255,73", "Seite 1 von 1", "Deutschland")),
            ("fr", "FR", ("Facture", "5 255,73", "Page 1 sur 1", "Allemagne")),
            ("es", "ES", ("Factura", "5.255,73", "Página 1 de 1", "Alemania")),
            ("tr", "TR", ("Fatura", "5.255,73", "Sayfa 1 / 1", "Almanya")),
            ("en", "US", ("Invoice", "5,255.73", "Page 1 of 1", "Germany")),
        ],
    )
    def test_speaks_the_websites_language(
        self, language: str, country: str, words: tuple[str, ...]
    ) -> None:
        website = samples.studio(language=language, country=country)
        text = text_of(documents.invoice_pdf(samples.invoice(samples.client(website))))
        for word in words:
            assert word in text.replace("\xa0", " "), word

    @pytest.mark.parametrize("currency", ["JPY", "KWD"])
    def test_has_the_decimal_places_of_its_currency(
        self, website: Website, account: Account, currency: str
    ) -> None:
        lines = [LineDraft("A thing", unit_price=Decimal(1234))]
        text = text_of(
            documents.invoice_pdf(samples.invoice(account, lines=lines, currency=currency))
        )
        assert {"JPY": "1,234\n", "KWD": "1,234.000"}[currency] in text

    def test_states_the_same_after_the_website_has_moved(self, invoice: Invoice) -> None:
        Website.objects.update(legal_name="Another Ltd", iban="DE89370400440532013000")
        invoice.refresh_from_db()
        text = text_of(documents.invoice_pdf(invoice))
        assert "Northwind Studio Ltd" in text
        assert "Another Ltd" not in text

    def test_a_broken_logo_is_left_out(
        self, website: Website, account: Account, tmp_path: object, settings: Settings
    ) -> None:
        from django.core.files.base import ContentFile

        settings.MEDIA_ROOT = tmp_path
        website.logo.save("logo.png", ContentFile(b"\x89PNG\r\n\x1a\nnot one"))
        account.refresh_from_db()
        assert "Northwind Studio" in text_of(documents.invoice_pdf(samples.invoice(account)))


class TestReceipt:
    def test_says_who_paid_what_for_which_invoice(self, invoice: Invoice) -> None:
        payment = payments.mark_paid(invoice, by=None, reference="TRF-7")
        text = text_of(documents.receipt_pdf(payment))
        for word in (
            "Receipt",
            "5,255.73",
            invoice.number,
            "İsmail Şahin",
            "TRF-7",
            "Bank transfer",
        ):
            assert word in text, word

    def test_a_part_says_what_is_still_due(self, website: Website, account: Account) -> None:
        Website.objects.update(allow_part_payments=True)
        invoice = samples.invoice(account)
        payment = payments.pay(invoice, Money.parse("255.73", "EUR"), method="manual", by=None)
        text = text_of(documents.receipt_pdf(payment))
        assert "Still due" in text
        assert "5,000.00" in text


class TestCreditNote:
    @pytest.fixture
    def note(self, invoice: Invoice) -> CreditNote:
        payments.pay(invoice, Money.parse("5200.00", "EUR"), method="manual", by=None)
        line = invoice.lines.all()[1]
        return issue_credit_note(
            invoice, reason="One day was not needed.", by=None, quantities={line: Decimal("0.25")}
        )

    def test_says_what_is_taken_back_and_what_becomes_of_it(
        self, invoice: Invoice, note: CreditNote
    ) -> None:
        text = " ".join(text_of(documents.credit_note_pdf(note)).split())
        for word in (
            "Credit note",
            note.number,
            invoice.number,
            "One day was not needed.",
            "Consulting on site",
            "0.25",
            "252.00",
            "You owe 55.73 EUR less on invoice",
            "196.27 EUR of it you had paid already",
        ):
            assert word in text, word

    def test_is_archivable_and_accessible(self, note: CreditNote) -> None:
        root = root_of(PdfReader(io.BytesIO(documents.credit_note_pdf(note))))
        assert root["/MarkInfo"]["/Marked"]
        assert b"pdfuaid:part" in root["/Metadata"].get_data()

    def test_the_invoice_shows_what_was_credited(self, invoice: Invoice, note: CreditNote) -> None:
        invoice.refresh_from_db()
        text = text_of(documents.invoice_pdf(invoice))
        assert "Credited" in text
        assert "252.00" in text

    @pytest.mark.parametrize("colour", ["#b91c1c", "#fef08a"])
    def test_the_websites_colour_is_used_where_it_can_be_read(
        self, website: Website, invoice: Invoice, colour: str
    ) -> None:
        website.accent_colour = colour
        used = accent_of(website)
        assert is_readable(used)
        assert (used == colour) is is_readable(colour)
