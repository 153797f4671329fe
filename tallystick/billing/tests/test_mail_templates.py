"""The words and the looks of the mails; that they are sent is tested elsewhere."""

from __future__ import annotations

import re
from email.message import EmailMessage
from types import SimpleNamespace

import pytest
from django.template.loader import render_to_string
from django.utils.translation import override

from tallystick.billing import emails, typesetting

LANGUAGES = ("en", "de", "fr", "es", "tr")
SAID = {
    "client_name": "İsmail <b>Şahin</b>",
    "amount": "5,255.73",
    "currency": "EUR",
    "due_date": "28 March 2026",
    "reference_id": "7KQ2M9XVB3HD",
    "description": "Service & care",
    "payment_link": "https://billing.northwind.example/pay/invoice/INV-X/",
    "website_name": "Northwind Studio",
    "invoice": SimpleNamespace(number="INV-2026-0042"),
}


def written(key: str, part: str, **changes: object) -> str:
    return render_to_string(f"billing/email/{key}.{part}", SAID | changes)


def test_the_subject_is_the_agreed_one() -> None:
    subject = written("payment.invoice_generated", "subject.txt").strip()
    assert subject == "Invoice #7KQ2M9XVB3HD - Payment Due"


@pytest.mark.parametrize("key", emails.KEYS)
@pytest.mark.parametrize("language", LANGUAGES)
class TestEveryMail:
    def test_says_the_same_in_both_parts(self, key: str, language: str) -> None:
        with override(language):
            for part in ("txt", "html"):
                text = written(key, part)
                for word in ("5,255.73", "EUR", "INV-2026-0042", SAID["payment_link"]):
                    assert str(word) in text

    def test_names_are_escaped_in_html_and_plain_in_text(self, key: str, language: str) -> None:
        with override(language):
            assert "<b>Şahin" not in written(key, "html")
            assert "Service & care" in written(key, "txt")

    def test_the_subject_is_one_line(self, key: str, language: str) -> None:
        with override(language):
            message = EmailMessage()
            message["Subject"] = written(key, "subject.txt").strip()
            assert "\n" not in message["Subject"]

    def test_uses_the_colours_of_the_tokens_and_nothing_from_elsewhere(
        self, key: str, language: str
    ) -> None:
        with override(language):
            html = written(key, "html")
        tokens = {colour for theme in typesetting.tokens().values() for colour in theme.values()}
        assert set(re.findall(r"#[0-9a-f]{6}\b", html)) <= tokens
        assert not re.search(r"<img|<link|<script|url\(", html)
        assert set(re.findall(r'href="([^"]+)"', html)) == {SAID["payment_link"]}

    def test_plain_text_has_no_gaps(self, key: str, language: str) -> None:
        with override(language):
            text = written(key, "txt", description="", due_date="")
        assert "\n\n\n" not in text
