"""The provider clients of this process: one per connection, made once, shared by threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2

from tallystick.integrations import registry
from tallystick.integrations.connections import Connection

Transport = Callable[[Connection], httpx2.BaseTransport | None]


def _network(connection: Connection) -> None:
    del connection


_transport: Transport = _network
_clients: dict[int, tuple[object, registry.AnyProvider]] = {}
_lock = threading.Lock()


def client_of(connection: Connection) -> registry.AnyProvider:
    """The client with the connection's settings as they are now. Raises `BadCredentials`."""
    settings = connection.settings()
    with _lock:
        known = _clients.get(connection.pk)
        if known and known[0] == settings:
            return known[1]
        if known:
            known[1].close()
        client: registry.AnyProvider = connection.provider(
            settings, transport=_transport(connection)
        )
        _clients[connection.pk] = settings, client
        return client


@contextmanager
def using(transport: Transport) -> Iterator[None]:
    """Put another way to the providers in place of the network: tests, simulations."""
    global _transport
    before, _transport = _transport, transport
    forget()
    try:
        yield
    finally:
        _transport = before
        forget()


def forget() -> None:
    """Close all clients."""
    with _lock:
        for _, client in _clients.values():
            client.close()
        _clients.clear()
