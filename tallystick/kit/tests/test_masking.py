from __future__ import annotations

import logging

import pytest

from tallystick.kit.masking import MaskTokens

REFERENCE = "INV-0123456789AB"
SECRET = "-_aZ09" * 7 + "x"


def logged(message: str, *args: object) -> str:
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, message, args, None)
    assert MaskTokens().filter(record)
    return record.getMessage()


@pytest.mark.parametrize("length", [8, 20, 42, 43, 44])
def test_whole_and_shortened_links_lose_their_secret(length: int) -> None:
    secret = (SECRET + "y")[:length]
    said = logged("GET %s", f"/pay/invoice/{REFERENCE}-{secret}/pdf/")
    assert said == f"GET /pay/invoice/{REFERENCE}-***/pdf/"


def test_references_alone_are_told() -> None:
    assert logged(f"{REFERENCE} was issued as INV-2026-00001") == (
        f"{REFERENCE} was issued as INV-2026-00001"
    )
