from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from tallystick.kit import signing


def test_a_published_example() -> None:
    # RFC 4231, test case 2.
    signature = signing.hmac_sha256("Jefe", b"what do ya want for nothing?")
    assert signature.hex() == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    in_base64 = signing.hmac_sha256_base64("Jefe", b"what do ya want for nothing?")
    assert base64.b64decode(in_base64) == signature


@given(st.text(), st.text())
def test_the_same_is_the_same(one: str, other: str) -> None:
    assert signing.same(one, other) == (one == other)


def test_a_broken_header_still_compares() -> None:
    off_the_wire = b"\xff".decode("utf-8", "surrogateescape")
    assert not signing.same(off_the_wire, "expected")
    assert signing.same(off_the_wire, b"\xff")


def test_tokens_have_the_bits_that_were_asked_for() -> None:
    for bits in (128, 256, 257):
        encoded = signing.token(bits)
        assert len(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))) * 8 >= bits
    assert signing.token() != signing.token()
