"""Stands on sockets: each request to its stand, each fault brought about on the connection."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from uvicorn.protocols.http.h11_impl import H11Protocol

from tallystick.ports.sandboxing import Answer, Fault, FaultKind, Request, Stand
from tallystick.ports.sandboxing.transport import NO_ANSWER, faulty_answer

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_TRANSPORT = "tallystick.transport"
_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing sends a reset instead of an orderly end."""
_SECONDS_PER_BYTE = 1.0


class Protocol(H11Protocol):
    """HTTP/1.1 that lets the application get at its connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        super().connection_made(transport)
        self.app = partial(_with_transport, self.app, transport)


async def _with_transport(
    app: App, transport: asyncio.Transport, scope: Scope, receive: Receive, send: Send
) -> None:
    scope[_TRANSPORT] = transport
    await app(scope, receive, send)


class Wire:
    """The ASGI application: `/<name>/...` goes to the stand of that name, the rest to `console`."""

    def __init__(self, stands: Mapping[str, Stand], console: App) -> None:
        self._stands = stands
        self._console = console

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name, slash, rest = scope.get("path", "").removeprefix("/").partition("/")
        stand = self._stands.get(name) if slash else None
        if stand is None or scope["type"] != "http":
            await self._console(scope, receive, send)
            return
        request = await _request(scope, f"/{rest}", receive)
        await _Visit(stand, request, scope, receive, send).take_place()


class _Visit:
    """One call on a socket."""

    def __init__(
        self, stand: Stand, request: Request, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self.stand = stand
        self.request = request
        self.transport: asyncio.Transport = scope[_TRANSPORT]
        self.receive = receive
        self.send = send
        self.latency, self.fault = stand.faults.strike(request.method, request.path)

    async def take_place(self) -> None:
        kind = self.fault.kind if self.fault else None
        if kind is FaultKind.REFUSED:
            self._note(NO_ANSWER)
            await self._reset()
            return
        if kind is FaultKind.TOKEN_EXPIRED:
            self.stand.expire_tokens()
        refusal = self.stand.arrive(self.request)
        if refusal:
            await self._answer(self._note(refusal))
            return
        try:
            await self._admitted()
        finally:
            self.stand.leave(self.request)

    async def _admitted(self) -> None:
        if self.latency:
            await asyncio.sleep(self.latency)
        if self.fault is None or self.fault.kind is FaultKind.TOKEN_EXPIRED:
            await self._answer(self._note(self.stand.respond(self.request)))
            return
        carried_out = self.fault.carried_out
        await self._struck(
            self.fault, self.stand.respond(self.request) if carried_out else NO_ANSWER
        )

    async def _struck(self, fault: Fault, answer: Answer) -> None:
        given = faulty_answer(self.stand, fault, answer)
        if given is not None:
            await self._answer(self._note(given))
            return
        self._note(NO_ANSWER)
        match fault.kind:
            case FaultKind.HANG_UP:
                self.transport.close()
            case FaultKind.RESET:
                await self._start(answer)
                half = answer.body[: len(answer.body) // 2]
                await self.send({"type": "http.response.body", "body": half, "more_body": True})
                await self._reset()
            case FaultKind.SLOW_BODY:
                await self._trickle(answer)
                return
        await self._until_gone()

    async def _answer(self, answer: Answer) -> None:
        await self._start(answer)
        await self.send({"type": "http.response.body", "body": answer.body})

    async def _start(self, answer: Answer) -> None:
        headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        headers.append((b"content-length", str(len(answer.body)).encode()))
        await self.send(
            {"type": "http.response.start", "status": answer.status, "headers": headers}
        )

    async def _trickle(self, answer: Answer) -> None:
        await self._start(answer)
        for byte in answer.body:
            if self.transport.is_closing():
                return
            await self.send(
                {"type": "http.response.body", "body": bytes([byte]), "more_body": True}
            )
            await asyncio.sleep(_SECONDS_PER_BYTE)
        await self.send({"type": "http.response.body", "body": b""})

    async def _reset(self) -> None:
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()
        await self._until_gone()

    async def _until_gone(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass

    def _note(self, answer: Answer) -> Answer:
        return self.stand.noted(self.request, answer, self.fault.kind if self.fault else "")


async def _request(scope: Scope, path: str, receive: Receive) -> Request:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Request(scope["method"], path, dict(query), headers, body)
