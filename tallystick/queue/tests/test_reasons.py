from __future__ import annotations

import pytest

from tallystick.queue.reasons import LONGEST, place_of, reason_of


def test_says_what_and_why_on_one_line() -> None:
    assert reason_of(ValueError("two\n lines\x00")) == "ValueError: two lines"
    assert reason_of(TimeoutError()) == "TimeoutError"
    assert reason_of("in words") == "in words"


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer canary7",
        "authorization=Basic canary7",
        '{"password": "canary7"}',
        "api_key='canary7'",
        "client_secret=canary7&x=1",
        "https://me:canary7@host/path",
        "GET https://host/path?token=canary7 failed",
        "postgres://me:canary7@host/db",
        "token canary7",
        "no such key sk_live_canary7canary7canary7",
        "link INV-10-Ab3dcanary7efghIJKLmnopQRST expired",
    ],
)
def test_holds_no_secret(text: str) -> None:
    reason = reason_of(text)
    assert "canary7" not in reason
    assert "[hidden]" in reason


def test_holds_no_card_number() -> None:
    assert "4242" not in reason_of("card 4242 4242 4242 4242 declined")


@pytest.mark.parametrize(
    "text",
    [
        "Invoice 2026-0001 of 1,234.50 EUR was refused by the provider",
        "no row 3f2b8c1e-0c1d-4e5f-8a9b-0123456789ab",
        "HTTP 503 from https://api.example.org/v2/invoices",
        "tallystick_integrations_connections_somewhere is missing",
    ],
)
def test_keeps_what_helps(text: str) -> None:
    assert reason_of(text) == text


def test_is_short_and_soon_made() -> None:
    assert len(reason_of("x1 " * 10_000_000)) <= LONGEST
    assert len(reason_of("a1" * 5_000_000)) <= LONGEST


def test_says_where() -> None:
    with pytest.raises(ValueError, match="invalid literal") as raised:
        int("x")
    assert place_of(raised.value).startswith("test_reasons.py:")
    assert place_of(ValueError("never raised")) == ""
