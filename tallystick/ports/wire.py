"""What every call has around it: time-outs, a deadline, a limit on size, no cookies, no redirects."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

import httpx2
from pydantic import AfterValidator

from tallystick.kit import clock

MAX_BYTES = 10 * 1024 * 1024
"""The longest answer that is read, compressed or not."""
DEADLINE = 60.0
"""Seconds from the start of a call to the last byte of its answer, however slowly they come."""
TIMEOUT = httpx2.Timeout(connect=5, read=30, write=30, pool=10)
_DUE = "tallystick.due"


class TooLong(httpx2.ReadError):
    """The answer is longer than anything the provider has reason to send."""


def secure_url(url: str) -> str:
    """`url` without a trailing slash; `ValueError` unless it is https, or http to this machine."""
    parts = urlsplit(url)
    if not parts.hostname or parts.username is not None or parts.fragment or parts.query:
        raise ValueError("is not an address like https://example.org")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ValueError("is not https")
    return url.rstrip("/")


SecureUrl = Annotated[str, AfterValidator(secure_url)]


@dataclass(frozen=True, slots=True)
class Wire:
    """What the calls of one client share: who signs them, what carries them (the network unless
    `transport` is given), how many go at once."""

    auth: httpx2.Auth | None = None
    transport: httpx2.BaseTransport | None = None
    concurrency: int = 4

    def client(
        self,
        *,
        leaving: Callable[[httpx2.Request], None],
        arriving: Callable[[httpx2.Response], None],
    ) -> httpx2.Client:
        """`leaving` and `arriving` are told of each single exchange, that of a repeat with a
        renewed token too."""
        most = self.concurrency
        return httpx2.Client(
            # An explicit no-op keeps the client from looking into ~/.netrc.
            auth=self.auth or httpx2.Auth(),
            headers={"Accept": "application/json", "User-Agent": "Tallystick"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            transport=_Borrowed(self.transport) if self.transport else None,
            verify=True if self.transport else _tls(),
            timeout=TIMEOUT,
            limits=httpx2.Limits(max_connections=most, max_keepalive_connections=most),
            follow_redirects=False,
            event_hooks={"request": [_depart, leaving], "response": [_bound, arriving]},
        )


def body_of(response: httpx2.Response) -> bytes:
    """The decoded body, if it comes in time and is not too long."""
    chunks, size = [], 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > MAX_BYTES:
            raise TooLong("too long")
        chunks.append(chunk)
    return b"".join(chunks)


@cache
def _tls() -> ssl.SSLContext:
    """One for all clients: reading the certificates takes longer than a call."""
    return httpx2.create_ssl_context()


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _depart(request: httpx2.Request) -> None:
    request.extensions[_DUE] = clock.ticking() + DEADLINE


def _bound(response: httpx2.Response) -> None:
    if isinstance(response.stream, httpx2.SyncByteStream):
        response.stream = _Bounded(response.stream, response.request.extensions[_DUE])


class _Bounded(httpx2.SyncByteStream):
    """A body as it comes off the wire, cut off when it is too slow or too long."""

    def __init__(self, stream: httpx2.SyncByteStream, due: float) -> None:
        self._stream = stream
        self._due = due

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if size > MAX_BYTES:
                raise TooLong("too long")
            if clock.ticking() > self._due:
                raise httpx2.ReadTimeout("the answer came too slowly")
            yield chunk

    def close(self) -> None:
        self._stream.close()


class _Borrowed(httpx2.BaseTransport):
    """A transport that belongs to someone else: closing the client leaves it open."""

    def __init__(self, transport: httpx2.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._transport.handle_request(request)
