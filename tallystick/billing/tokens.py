"""The names that outsiders see: an invoice's reference, and the secret address where it is paid."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings

# Without I, L, O and U: read aloud or typed from paper, nothing is mistaken for anything else.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_REFERENCE_LENGTH = 12
_SECRET_BYTES = 32
_TOKEN = re.compile(rf"INV-[{ALPHABET}]{{{_REFERENCE_LENGTH}}}-[A-Za-z0-9_-]{{43}}", re.ASCII)


def new_reference() -> str:
    """Sixty random bits in twelve characters: unique, and tells nothing about how many there are."""
    return "".join(secrets.choice(ALPHABET) for _ in range(_REFERENCE_LENGTH))


def new_payment_token(reference: str) -> str:
    """`INV-{reference}-{random}` with 256 random bits."""
    return f"INV-{reference}-{secrets.token_urlsafe(_SECRET_BYTES)}"


def is_payment_token(text: str) -> bool:
    """Whether `text` has the form of a token."""
    return _TOKEN.fullmatch(text) is not None


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def payment_url(domain: str, token: str) -> str:
    """Where the holder of `token` pays: https, unless the site itself, or another on the same
    machine, is served without."""
    site = urlsplit(settings.PUBLIC_URL)
    if domain in {site.hostname, site.netloc}:
        return f"{settings.PUBLIC_URL}/pay/invoice/{token}/"
    scheme = site.scheme if _is_loopback(domain) else "https"
    return f"{scheme}://{domain}/pay/invoice/{token}/"


def expiry(due: date, time_zone: str) -> datetime:
    """The end of the last day of a payment link, `PAYMENT_LINK_EXPIRY_DAYS` after `due`."""
    last = due + timedelta(days=settings.PAYMENT_LINK_EXPIRY_DAYS)
    midnight = datetime.combine(last + timedelta(days=1), time.min, ZoneInfo(time_zone))
    return midnight.astimezone(UTC)


def one_use() -> bool:
    """Whether new links are for one payment."""
    return bool(settings.PAYMENT_LINK_ONE_USE)


def _is_loopback(domain: str) -> bool:
    host = urlsplit(f"//{domain}").hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
