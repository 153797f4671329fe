"""Wire: exchanges over the network, with what every one of them has around it: time-outs, a
deadline, a limit on size, no cookies, no redirects."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import cache
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2

from tallystick.kit import clock
from tallystick.ports.exchange import (
    Answer,
    Basic,
    BrokenOff,
    Failure,
    Line,
    NeverLeft,
    Question,
    Texts,
    Tokens,
    TooSlow,
    Unreadable,
)

MAX_BYTES = 10 * 1024 * 1024
"""The longest answer that is read, compressed or not."""
DEADLINE = 60.0
"""Seconds from the start of a call to the last byte of its answer, however slowly they come."""

_DUE = "tallystick.due"
_NEVER_LEFT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
    httpx2.InvalidURL,
)


class Wire:
    """`leaving` and `arriving` are told of each single exchange, that of a repeat with a renewed
    token too. Safe to share by threads."""

    def __init__(
        self, line: Line, *, leaving: Callable[[], None], arriving: Callable[[Texts], None]
    ) -> None:
        self._leaving = leaving
        self._arriving = arriving
        self._client = httpx2.Client(
            auth=_auth(line),
            headers={"Accept": "application/json", "User-Agent": "Tallystick"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            transport=_Borrowed(line.transport) if line.transport else None,
            verify=True if line.transport else _tls(),
            timeout=httpx2.Timeout(connect=5, read=line.timeout, write=line.timeout, pool=10),
            limits=httpx2.Limits(
                max_connections=line.concurrency, max_keepalive_connections=line.concurrency
            ),
            follow_redirects=False,
            event_hooks={"request": [self._departs], "response": [self._arrives]},
        )

    def carry(self, question: Question) -> Answer:
        """Ask; raises a `Failure`, or what getting a token raises."""
        try:
            request = self._client.build_request(
                question.method,
                question.url,
                params=question.params or None,
                headers=question.headers,
                content=question.content or None,
            )
            with closing(self._client.send(request, stream=True)) as response:
                return Answer(response.status_code, response.headers, _body(response))
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            raise _failure(error) from error

    def close(self) -> None:
        self._client.close()

    def _departs(self, request: httpx2.Request) -> None:
        request.extensions[_DUE] = clock.ticking() + DEADLINE
        self._leaving()

    def _arrives(self, response: httpx2.Response) -> None:
        if isinstance(response.stream, httpx2.SyncByteStream):
            response.stream = _Bounded(response.stream, response.request.extensions[_DUE])
        self._arriving(response.headers)


class Bearer(httpx2.Auth):
    """Sign with a token; when it is refused, once more with a new one."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def sync_auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        token = self._tokens.token()
        response = yield _signed(request, token)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            response.read()  # gives the connection back before the token is renewed
            yield _signed(request, self._tokens.token(instead_of=token))


def _signed(request: httpx2.Request, token: str) -> httpx2.Request:
    request.headers["Authorization"] = f"Bearer {token}"
    return request


def _auth(line: Line) -> httpx2.Auth:
    if line.signer is None:
        # An explicit no-op keeps the client from looking into ~/.netrc.
        return httpx2.Auth()
    return httpx2.BasicAuth(*line.signer) if isinstance(line.signer, Basic) else Bearer(line.signer)


def _failure(error: Exception) -> Failure:
    if isinstance(error, _NEVER_LEFT):
        return NeverLeft(type(error).__name__)
    if isinstance(error, _TooLong | httpx2.DecodingError):
        return Unreadable(type(error).__name__)
    kind = TooSlow if isinstance(error, httpx2.TimeoutException) else BrokenOff
    return kind(type(error).__name__)


@cache
def _tls() -> ssl.SSLContext:
    """One for all clients: reading the certificates takes longer than a call."""
    return httpx2.create_ssl_context()


def _body(response: httpx2.Response) -> bytes:
    chunks, size = [], 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > MAX_BYTES:
            raise _TooLong("unpacked")
        chunks.append(chunk)
    return b"".join(chunks)


class _TooLong(httpx2.ReadError):
    """Longer than anything a provider has reason to send."""


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
                raise _TooLong("as sent")
            if clock.ticking() > self._due:
                raise httpx2.ReadTimeout("The answer came too slowly.")
            yield chunk

    def close(self) -> None:
        self._stream.close()


class _Borrowed(httpx2.BaseTransport):
    """A transport that belongs to someone else: closing the client leaves it open."""

    def __init__(self, transport: httpx2.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._transport.handle_request(request)
