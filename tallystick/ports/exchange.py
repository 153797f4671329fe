"""One exchange over HTTP as the rest sees it: what is asked, what is answered, how it can fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, NamedTuple, Protocol
from urllib.parse import urlsplit

from pydantic import AfterValidator

if TYPE_CHECKING:
    # The HTTP stack takes 16 MiB: a process that makes no client does without.
    import httpx2

Texts = Mapping[str, str]


class Tokens(Protocol):
    """Where bearer tokens come from."""

    def token(self, *, instead_of: str = "") -> str:
        """A token that is good now; a new one if the one at hand is `instead_of`, which was
        refused. Raises `Unauthorized` or `Unavailable`, never `Uncertain`."""


class Basic(NamedTuple):
    """HTTP basic authentication."""

    user: str
    password: str

    def __repr__(self) -> str:
        return "Basic(...)"


@dataclass(frozen=True, slots=True)
class Line:
    """What the exchanges of one client share: who signs them, what carries them (the network unless
    `transport` is given), how many go at once, how long to wait."""

    signer: Tokens | Basic | None = field(default=None, repr=False)
    transport: httpx2.BaseTransport | None = None
    concurrency: int = 4
    timeout: float = 30.0
    """Seconds without a byte of the answer."""
    allow_http: bool = False
    """Whether the address may be without TLS though it is another machine's."""


@dataclass(frozen=True, slots=True)
class Question:
    method: str
    url: str
    params: Texts = field(default_factory=dict)
    headers: Texts = field(default_factory=dict, repr=False)
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer, before it is understood. Header names match in any case."""

    status: int
    headers: Texts = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def is_page(self) -> bool:
        """HTML is what something on the way says, or a front server: not the API."""
        return "html" in self.headers.get("content-type", "").lower()


class Failure(Exception):
    """There is no complete answer."""


class NeverLeft(Failure):
    """The question did not reach the provider."""


class TooSlow(Failure):
    """No answer, or not all of it, in time."""


class BrokenOff(Failure):
    """The connection was lost before the end of the answer."""


class Unreadable(Failure):
    """The answer is too long, or encoded in a way it does not say."""


def secure_url(url: str, *, allow_http: bool = False) -> str:
    """`url` without a trailing slash; `ValueError` unless it is https, or http to this machine or
    where that is allowed."""
    parts = urlsplit(url)
    if not parts.hostname or parts.username is not None or parts.fragment or parts.query:
        raise ValueError("is not an address like https://example.org")
    is_near = allow_http or _is_loopback(parts.hostname)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_near):
        raise ValueError("is not https")
    return url.rstrip("/")


def _secure(url: str) -> str:
    return secure_url(url)


SecureUrl = Annotated[str, AfterValidator(_secure)]


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
