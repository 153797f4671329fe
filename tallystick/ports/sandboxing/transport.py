"""A stand behind an HTTP client, in process: no socket, the stand's clock, the same faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus

import httpx2

from tallystick.kit.clock import VirtualClock
from tallystick.ports.sandboxing.faults import Fault, FaultKind, Faults
from tallystick.ports.sandboxing.stand import Answer, Request, Stand

HTML_PAGE = b"<!doctype html><title>One moment</title><h1>One moment, please</h1>"
"""What a proxy on the way answers in place of the provider."""
NO_ANSWER = Answer(0)

_HTML = {"content-type": "text/html; charset=utf-8"}


def transport(stand: Stand, faults: Faults | None = None) -> httpx2.MockTransport:
    """A transport that answers from `stand`, whatever the host, with `faults` (the stand's own by
    default).

    Faults come as the errors a socket would give. Time that passes in them passes on the stand's
    clock if that is a virtual one; on the real clock only latency is waited for.
    """
    faults = stand.faults if faults is None else faults

    def answer(http_request: httpx2.Request) -> httpx2.Response:
        visit = Visit(stand, http_request, faults)
        return visit.answered()

    return httpx2.MockTransport(answer)


class Visit:
    """One call in process."""

    def __init__(self, stand: Stand, http_request: httpx2.Request, faults: Faults) -> None:
        self.stand = stand
        self.http_request = http_request
        self.request = _request(stand, http_request)
        self.latency, self.fault = faults.strike(self.request.method, self.request.path)
        timeout = http_request.extensions.get("timeout", {}).get("read")
        self.patience = float("inf") if timeout is None else float(timeout)

    def answered(self) -> httpx2.Response:
        kind = self.fault.kind if self.fault else None
        if kind is FaultKind.REFUSED:
            self._note(NO_ANSWER)
            raise httpx2.ConnectError("[Errno 111] Connection refused", request=self.http_request)
        if kind is FaultKind.TOKEN_EXPIRED:
            self.stand.expire_tokens()
        refusal = self.stand.arrive(self.request)
        if refusal:
            return self._response(self._note(refusal))
        try:
            return self._admitted()
        finally:
            self.stand.leave(self.request)

    def _admitted(self) -> httpx2.Response:
        self._pass_latency()
        if self.fault is None or self.fault.kind is FaultKind.TOKEN_EXPIRED:
            return self._response(self._note(self.stand.respond(self.request)))
        carried_out = self.stand.respond(self.request) if self.fault.carried_out else NO_ANSWER
        return self._struck(self.fault, carried_out)

    def _struck(self, fault: Fault, answer: Answer) -> httpx2.Response:
        given = faulty_answer(self.stand, fault, answer)
        if given is not None:
            return self._response(self._note(given))
        self._note(NO_ANSWER)
        if fault.kind is FaultKind.HANG_UP:
            raise httpx2.RemoteProtocolError(
                "Server disconnected without sending a response.", request=self.http_request
            )
        if fault.kind is FaultKind.RESET:
            raise httpx2.ReadError(
                "[Errno 104] Connection reset by peer", request=self.http_request
            )
        if fault.kind is FaultKind.SLOW_BODY:
            return self._response(answer, slowly=True)
        return self._timed_out()

    def _pass_latency(self) -> None:
        if self.latency > self.patience:
            # The provider goes on after its client gave up: the call is carried out all the same.
            self.stand.respond(self.request)
            self._note(NO_ANSWER)
            self._timed_out()
        if self.latency:
            self.stand.clock.sleep(self.latency)

    def _timed_out(self) -> httpx2.Response:
        self._let_pass(0 if self.patience == float("inf") else self.patience)
        raise httpx2.ReadTimeout("The read operation timed out", request=self.http_request)

    def _let_pass(self, seconds: float) -> None:
        if isinstance(self.stand.clock, VirtualClock):
            self.stand.clock.sleep(seconds)

    def _note(self, answer: Answer) -> Answer:
        return self.stand.noted(self.request, answer, self.fault.kind if self.fault else "")

    def _response(self, answer: Answer, *, slowly: bool = False) -> httpx2.Response:
        if not slowly:
            return httpx2.Response(answer.status, headers=dict(answer.headers), content=answer.body)
        return httpx2.Response(
            answer.status, headers=dict(answer.headers), stream=_Trickle(self, answer.body)
        )


class _Trickle(httpx2.SyncByteStream):
    """A body at one byte a second."""

    def __init__(self, visit: Visit, body: bytes) -> None:
        self._visit = visit
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        for byte in self._body:
            self._visit._let_pass(1)
            yield bytes([byte])


def faulty_answer(stand: Stand, fault: Fault, answer: Answer) -> Answer | None:
    """What is answered under a fault that still lets HTTP work; None for the others. `answer` is
    what the stand said if the call was carried out."""
    given: Answer | None = None
    match fault.kind:
        case FaultKind.TRUNCATED:
            given = replace(answer, body=answer.body[: len(answer.body) // 2])
        case FaultKind.HTML:
            given = Answer(HTTPStatus.OK, _HTML, HTML_PAGE)
        case FaultKind.STATUS:
            given = Answer(fault.status, _HTML, HTML_PAGE)
        case FaultKind.TOO_MANY:
            given = stand.too_many(fault)
    return given


def _request(stand: Stand, http_request: httpx2.Request) -> Request:
    url = http_request.url
    return Request(
        method=http_request.method,
        path=url.path.removeprefix(f"/{stand.name}") or "/",
        query=dict(url.params),
        headers={name.lower(): value for name, value in http_request.headers.items()},
        body=http_request.read(),
    )
