"""Signatures and secrets: HMAC, constant-time comparison, random tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets


def hmac_sha256(key: str | bytes, message: bytes) -> bytes:
    return hmac.new(_bytes(key), message, hashlib.sha256).digest()


def hmac_sha256_base64(key: str | bytes, message: bytes) -> str:
    return base64.b64encode(hmac_sha256(key, message)).decode()


def same(given: str | bytes, expected: str | bytes) -> bool:
    """Whether the two are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(_bytes(given), _bytes(expected))


def token(bits: int = 256) -> str:
    """A random URL-safe text of at least `bits` bits."""
    return secrets.token_urlsafe(-(-bits // 8))


def digest(text: str) -> str:
    """SHA-256 in hexadecimal: how a secret that is itself random is kept."""
    return hashlib.sha256(text.encode()).hexdigest()


def _bytes(value: str | bytes) -> bytes:
    # surrogateescape: what a WSGI server took off the wire as a broken header still compares.
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
