"""Standard Webhooks: a delivery's identity, time and signature in three headers.

The signature is over `id.timestamp.body`; each secret makes one, so that a secret can be replaced
while both count. See https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from tallystick.kit import signing

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE = 300
"""Seconds by which the clocks of the two sides, and the way, may differ."""

_PREFIX = "whsec_"
_VERSION = "v1,"
_MOST_SIGNATURES = 20
_SECRET = re.compile(r"[\x20-\x2b\x2d-\x7e]{1,500}")
_SECONDS = re.compile(r"\d{1,12}", re.ASCII)


def secrets_of(text: str) -> list[str]:
    """The secrets in a comma-separated list, newest first. `ValueError` for one that cannot be sent
    in a header, or whose `whsec_` is not followed by base64."""
    found = [part.strip() for part in text.split(",") if part.strip()]
    for secret in found:
        if not _SECRET.fullmatch(secret):
            raise ValueError("holds characters other than printable ASCII")
        _key(secret)
    return found


def headers(secrets: Sequence[str], delivery: str, *, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of `delivery`, sent at `at`; without a signature when there is no secret."""
    stamp = str(int(at.timestamp()))
    sent = {ID: delivery, TIMESTAMP: stamp}
    if secrets:
        sent[SIGNATURE] = " ".join(_signature(secret, delivery, stamp, body) for secret in secrets)
    return sent


def is_genuine(
    secrets: Sequence[str], given: Mapping[str, str], body: bytes, *, now: datetime
) -> bool:
    """Whether one of `secrets` signed exactly this delivery, within the last minutes. Names of
    headers are lower case."""
    delivery, stamp = given.get(ID, ""), given.get(TIMESTAMP, "")
    if not delivery or not _SECONDS.fullmatch(stamp):
        return False
    if abs(now.timestamp() - int(stamp)) > TOLERANCE:
        return False
    signatures = given.get(SIGNATURE, "").split()[:_MOST_SIGNATURES]
    # All are compared, so that the time taken does not tell which of them matches.
    matches = [
        signing.same(signature, _signature(secret, delivery, stamp, body))
        for secret in secrets
        for signature in signatures
    ]
    return any(matches)


def _signature(secret: str, delivery: str, stamp: str, body: bytes) -> str:
    # surrogateescape: what a WSGI server took off the wire as a broken header is only wrong.
    signed = f"{delivery}.{stamp}.".encode("utf-8", "surrogateescape") + body
    return _VERSION + signing.hmac_sha256_base64(_key(secret), signed)


def _key(secret: str) -> bytes:
    """What a secret signs with: the bytes behind `whsec_`, or a plain text itself."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not key:
        raise ValueError(f"has something else than base64 after {_PREFIX}")
    return key
