"""The words and the looks of the mails; that they are sent is tested elsewhere."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils.translation import override

from tallystick.billing import email_kinds, email_samples, email_values, typesetting
from tallystick.billing.email_looks import Look
from tallystick.billing.email_writing import Letter, compose
from tallystick.kit.colours import contrast

LANGUAGES = ("en", "de", "fr", "es", "tr")
LOOK = Look("#14573c", "#ffffff", "#63c89a", "#06150e")
LINK = email_samples.sample()["payment_link"]


def written(key: str, language: str = "en", **changes: Any) -> Letter:
    values = email_samples.sample(client_name="İsmail <b>Şahin</b>", **changes)
    with override(language):
        return compose(key, values, LOOK)


def test_the_subject_is_the_agreed_one() -> None:
    assert written("payment.invoice_generated").subject == "Invoice #7KQ2M9XVB3HD - Payment Due"


def test_a_paid_invoice_asks_for_nothing() -> None:
    letter = written("payment.invoice_generated", is_due="")
    assert letter.subject == "Invoice #7KQ2M9XVB3HD"
    assert "IBAN" not in letter.text
    assert "Nothing is left to pay." in letter.html


@pytest.mark.parametrize("key", email_kinds.ASKING)
def test_who_is_asked_to_pay_sees_when_and_where_to(key: str) -> None:
    letter = written(key)
    for text in (letter.text, letter.html):
        for word in ("28 March 2026", "GB33 BUKB 2020 1555 5555 55", "RF187KQ2M9XVB3HD"):
            assert word in text


@pytest.mark.parametrize("key", sorted(set(email_kinds.KEYS) - set(email_kinds.ASKING)))
def test_who_is_not_asked_sees_no_bank_account(key: str) -> None:
    letter = written(key)
    assert "IBAN" not in letter.text + letter.html


def test_a_reminder_that_was_held_up_past_the_due_date_says_so() -> None:
    assert "was due on" in written("payment.reminder", is_overdue="yes").text
    assert "is due on" in written("payment.reminder").text


def test_a_credit_note_says_what_is_left() -> None:
    assert "5,255.73 EUR" in written("payment.credit_note").text
    assert "CN-2026-0007" in written("payment.credit_note").html


@pytest.mark.parametrize("key", email_kinds.KEYS)
@pytest.mark.parametrize("language", LANGUAGES)
class TestEveryMail:
    def test_says_the_same_in_both_parts(self, key: str, language: str) -> None:
        letter = written(key, language)
        for text in (letter.text, letter.html):
            for word in ("5,255.73", "EUR", "INV-2026-0042", LINK):
                assert word in text

    def test_names_are_escaped_in_html_and_plain_in_text(self, key: str, language: str) -> None:
        letter = written(key, language)
        assert "<b>Şahin" not in letter.html
        assert "maintenance & care" in letter.text
        assert "maintenance &amp; care" in letter.html

    def test_the_subject_is_one_line(self, key: str, language: str) -> None:
        subject = written(key, language).subject
        assert subject
        assert subject.isprintable()

    def test_uses_the_colours_of_the_tokens_and_nothing_from_elsewhere(
        self, key: str, language: str
    ) -> None:
        html = written(key, language).html
        tokens = {colour for theme in typesetting.tokens().values() for colour in theme.values()}
        assert set(re.findall(r"#[0-9a-f]{6}\b", html)) <= tokens
        assert not re.search(r"<img|<link|<script|url\(", html)
        assert set(re.findall(r'href="([^"]+)"', html)) == {LINK}

    def test_plain_text_has_no_gaps(self, key: str, language: str) -> None:
        for _, values in email_samples.cases(key):
            with override(language):
                text = compose(key, values, LOOK).text
            assert "\n\n\n" not in text
            assert max(map(len, text.splitlines())) < 200


@pytest.mark.parametrize("key", email_kinds.KEYS)
def test_no_case_leaves_a_mail_without_a_complaint_or_empty(key: str) -> None:
    for _, values in email_samples.cases(key):
        letter = compose(key, values, LOOK)
        assert letter.subject
        assert letter.complaints == []


class TestLooks:
    def test_contrast_is_that_of_the_guidelines(self) -> None:
        assert contrast("#000000", "#ffffff") == pytest.approx(21)
        assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)

    @pytest.mark.django_db
    @pytest.mark.parametrize(
        ("colour", "light", "dark"),
        [
            ("#7a1f5c", "#7a1f5c", "#63c89a"),  # too dark for the dark
            ("#ffd400", "#14573c", "#ffd400"),  # too light for the light
            ("", "#14573c", "#63c89a"),
        ],
    )
    def test_a_colour_is_used_where_it_can_be_read(
        self, colour: str, light: str, dark: str
    ) -> None:
        from tallystick.billing.email_looks import look_of
        from tallystick.billing.tests import making

        look = look_of(making.website(accent_colour=colour))
        assert (look.accent, look.accent_dark) == (light, dark)
        for ground, text in (
            (look.accent, look.on_accent),
            (look.accent_dark, look.on_accent_dark),
        ):
            assert contrast(ground, text) >= 4.5


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ada\r\nBcc: all@example.org", "Ada Bcc: all@example.org"),
        ("\u202egnp.exe", "gnp.exe"),
        ("👩\u200d💻 Ada", "👩\u200d💻 Ada"),
        ("a\x00b\x1bc\u2028d", "a b c d"),
    ],
)
def test_what_is_not_seen_is_not_said(text: str, shown: str) -> None:
    assert email_values.line(text) == shown
