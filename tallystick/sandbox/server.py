"""The process: HTTP and SMTP sockets, the courier, a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from functools import partial

import uvicorn
from aiosmtpd.smtp import SMTP

from tallystick.sandbox.console import console
from tallystick.sandbox.courier import Courier
from tallystick.sandbox.sandbox import Sandbox
from tallystick.sandbox.wire import App, Protocol, Wire

_GRACE = 1
"""Seconds that calls in flight get at the end."""
_BACKLOG = 2048

log = logging.getLogger(__name__)


class PortTaken(Exception):
    """Another process listens on the port."""


def bound(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises `PortTaken`."""
    # asyncio sends at once (TCP_NODELAY) only where the protocol is named; 40 ms a call otherwise.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise PortTaken(f"{host}:{port}: {error.strerror}") from None
    return sock


class Server(uvicorn.Server):
    """uvicorn, without its own signals, and able to refuse connections for a while."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """`run` sees to the signals."""
        yield

    def stop(self) -> None:
        # A second signal does not wait for calls in flight.
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Calls in flight get a moment; then their connections are cut, so that none hangs."""
        asyncio.get_running_loop().call_later(_GRACE, self._cut)
        await super().shutdown(sockets)

    def _cut(self) -> None:
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()

    async def rest(self, seconds: float) -> None:
        """Refuse every connection for so long, those that are open too; state stays."""
        host, port = self.servers[0].sockets[0].getsockname()
        while self.servers:
            self.servers.pop().close()
        self._cut()
        await asyncio.sleep(seconds)
        make = partial(
            Protocol,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        loop = asyncio.get_running_loop()
        self.servers.append(await loop.create_server(make, sock=bound(host, port)))


async def run(http: socket.socket, smtp: socket.socket, *, url: str, attached: bool) -> None:
    """Serve until a signal; with `attached`, also until standard input ends (its parent died)."""
    loop = asyncio.get_running_loop()
    sandbox = Sandbox(url)
    server = _server(sandbox)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    post_office = await loop.create_server(
        lambda: SMTP(sandbox.mailbox, hostname="localhost", loop=loop), sock=smtp
    )
    courier = asyncio.create_task(Courier(sandbox.stands.values()).run())
    watch = asyncio.create_task(_watch(server)) if attached else None
    try:
        await server.serve(sockets=[http])
    finally:
        post_office.close()
        for task in filter(None, (courier, watch)):
            task.cancel()


def _server(sandbox: Sandbox) -> Server:
    resting: set[asyncio.Task[None]] = set()

    def rest(seconds: float) -> None:
        task = asyncio.create_task(server.rest(seconds))
        resting.add(task)
        task.add_done_callback(resting.discard)

    app: App = Wire(sandbox.stands, console(sandbox, rest))
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_GRACE + 2,
    )
    server = Server(config)
    return server


async def _watch(server: Server) -> None:
    """Stop when standard input ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(1024):
        pass
    server.stop()
