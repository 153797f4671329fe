"""Encryption of single values under a ring of keys: AES-256-GCM, `v1:<key id>:<nonce + ciphertext>`.

Who may read a value where is part of it: the `context` given to `encrypt` must be given to
`decrypt`, so that a value copied to another row or column does not open.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = "v1"
_KEY_BYTES, _NONCE_BYTES, _TAG_BYTES = 32, 12, 16
_KEY_ID = r"[A-Za-z0-9_-]{1,32}"
_SEALED = re.compile(rf"{_VERSION}:(?P<key_id>{_KEY_ID}):(?P<body>[A-Za-z0-9_-]+={{0,2}})")


class BadKeys(ValueError):
    """The keys are not written as `id:base64` of 32 bytes each, comma-separated, newest first."""


class WrongKey(Exception):
    """A value does not open: its key is not in the ring, or it was altered or belongs elsewhere."""


def is_sealed(text: str) -> bool:
    """Whether `text` has the shape of an encrypted value."""
    return bool(_SEALED.fullmatch(text))


def new_key() -> str:
    """A fresh key in base64."""
    return base64.b64encode(os.urandom(_KEY_BYTES)).decode()


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """One key and the name that stands in every value sealed with it."""

    id: str
    cipher: AESGCM
    is_blank: bool
    """All bits zero: what the development settings use."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `id:base64`. What is wrong is said without repeating the key."""
        name, colon, encoded = text.partition(":")
        if not colon or not re.fullmatch(_KEY_ID, name):
            raise BadKeys("a key is written id:base64; an id has 1 to 32 of A-Z a-z 0-9 _ -.")
        try:
            secret = base64.b64decode(
                encoded, altchars=b"-_" if "-" in encoded or "_" in encoded else None, validate=True
            )
        except (binascii.Error, ValueError):
            raise BadKeys(f"key {name!r} is not base64.") from None
        if len(secret) != _KEY_BYTES:
            raise BadKeys(f"key {name!r} has {len(secret)} bytes; it needs {_KEY_BYTES}.")
        return cls(name, AESGCM(secret), is_blank=not any(secret))

    def __repr__(self) -> str:
        return f"<Key {self.id}>"


class Keyring:
    """Keys by their id. The first one seals; any of them opens what it sealed."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys: dict[str, Key] = {}
        for key in keys:
            if key.id in self._keys:
                raise BadKeys(f"key {key.id!r} is there twice.")
            self._keys[key.id] = key
        if not self._keys:
            raise BadKeys("holds no key.")
        self._newest = next(iter(self._keys.values()))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `id:base64,id2:base64`, newest first; raises `BadKeys`."""
        return cls(Key.parse(part.strip()) for part in text.split(",") if part.strip())

    def __repr__(self) -> str:
        return f"<Keyring {', '.join(self._keys)}>"

    @property
    def newest(self) -> Key:
        return self._newest

    def encrypt(self, plain: bytes, context: bytes) -> str:
        # A random nonce per value: NIST SP 800-38D allows 2**32 of them under one key.
        nonce = os.urandom(_NONCE_BYTES)
        body = nonce + self._newest.cipher.encrypt(nonce, plain, context)
        return f"{_VERSION}:{self._newest.id}:{base64.urlsafe_b64encode(body).decode()}"

    def decrypt(self, text: str, context: bytes) -> bytes:
        """The bytes sealed in `text`; raises `WrongKey`, never hands back what does not open."""
        match = _SEALED.fullmatch(text)
        if match is None:
            raise WrongKey("The stored value is not an encrypted one.")
        key = self._keys.get(match["key_id"])
        if key is None:
            raise WrongKey(
                f"The value was sealed with key {match['key_id']!r}, which the ring does not hold "
                f"(it holds {', '.join(self._keys)})."
            )
        try:
            body = base64.urlsafe_b64decode(match["body"])
            if len(body) < _NONCE_BYTES + _TAG_BYTES:
                raise WrongKey("The stored value is cut short.")
            return key.cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], context)
        except (InvalidTag, binascii.Error):
            raise WrongKey(
                f"The value does not open with key {key.id!r}: another key was given this id, "
                "or the value was altered or belongs to another row."
            ) from None

    def needs_rotation(self, text: str) -> bool:
        """Whether `text` was sealed with another key than the newest."""
        return not text.startswith(f"{_VERSION}:{self._newest.id}:")
