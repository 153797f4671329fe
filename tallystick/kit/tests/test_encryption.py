from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.kit.encryption import BadKeys, Keyring, WrongKey, is_sealed

CANARY = "canary-4111"
# The same in every process: parameters of tests are made of them.
KEY_1, KEY_2 = (base64.b64encode(bytes(range(at, at + 32))).decode() for at in (150, 201))
OLD, NEW = Keyring.parse(f"k1:{KEY_1}"), Keyring.parse(f"k2:{KEY_2}, k1:{KEY_1}")


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_what_is_sealed_opens_where_it_belongs(plain: bytes, context: bytes) -> None:
    sealed = OLD.encrypt(plain, context)
    assert is_sealed(sealed)
    assert sealed.startswith("v1:k1:")
    assert OLD.decrypt(sealed, context) == plain
    with pytest.raises(WrongKey):
        OLD.decrypt(sealed, context + b"x")


def test_the_same_value_never_looks_the_same() -> None:
    assert OLD.encrypt(b"a", b"") != OLD.encrypt(b"a", b"")


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    old = OLD.encrypt(b"a", b"")
    assert NEW.decrypt(old, b"") == b"a"
    assert NEW.needs_rotation(old)
    assert not NEW.needs_rotation(NEW.encrypt(b"a", b""))
    with pytest.raises(WrongKey, match="'k2', which the ring does not hold"):
        OLD.decrypt(NEW.encrypt(b"a", b""), b"")


def test_another_key_under_the_same_id_is_an_error() -> None:
    with pytest.raises(WrongKey, match="does not open with key 'k1'"):
        Keyring.parse(f"k1:{KEY_2}").decrypt(OLD.encrypt(b"a", b""), b"")


def test_no_bit_can_be_changed() -> None:
    head, _, body = OLD.encrypt(b"secret", b"row").rpartition(":")
    raw = base64.urlsafe_b64decode(body)
    for position in range(len(raw)):
        changed = bytearray(raw)
        changed[position] ^= 1
        with pytest.raises(WrongKey):
            OLD.decrypt(f"{head}:{base64.urlsafe_b64encode(changed).decode()}", b"row")


@pytest.mark.parametrize(
    "text", ["", CANARY, "v1:k1:", "v1:k1:AAAA", "v2:k1:" + "A" * 60, "v1:k1:A"]
)
def test_what_is_not_sealed_is_an_error_that_does_not_repeat_it(text: str) -> None:
    with pytest.raises(WrongKey) as caught:
        OLD.decrypt(text, b"")
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " , ",
        KEY_1,
        KEY_1[:32],
        f":{KEY_1}",
        f"a b:{KEY_1}",
        f"{'x' * 33}:{KEY_1}",
        "k1:",
        f"k1:{KEY_1[:-4]}",
        f"k1:{KEY_1}AAAA",
        f"k1:*{KEY_1[1:]}",
        f"k1:{KEY_1},k1:{KEY_2}",
    ],
)
def test_malformed_keys_are_refused_without_repeating_them(text: str) -> None:
    with pytest.raises(BadKeys) as caught:
        Keyring.parse(text)
    assert KEY_1[1:20] not in str(caught.value)


def test_keys_are_not_shown() -> None:
    assert repr(NEW) == "<Keyring k2, k1>"
    assert repr(NEW.newest) == "<Key k2>"


def test_both_alphabets_of_base64_are_read() -> None:
    raw = b"\xfb" * 32
    standard, urlsafe = base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()
    assert standard != urlsafe
    sealed = Keyring.parse(f"a:{standard}").encrypt(b"x", b"")
    assert Keyring.parse(f"a:{urlsafe}").decrypt(sealed, b"") == b"x"


def test_the_development_key_is_known_as_such() -> None:
    assert Keyring.parse("dev:" + "A" * 43 + "=").newest.is_blank
    assert not OLD.newest.is_blank
