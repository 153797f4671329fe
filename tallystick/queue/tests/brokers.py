"""Redis and RabbitMQ, where they run; and ways for them to fail."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import kombu
import pytest
import redis

URLS = {
    "redis": os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15"),
    "rabbitmq": os.environ.get("TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672//"),
}
HOW_TO_GET = {
    "redis": "no Redis at {}: apt-get install redis-server, or set TEST_REDIS_URL",
    "rabbitmq": "no RabbitMQ at {}: apt-get install rabbitmq-server, or set TEST_AMQP_URL",
}


@contextmanager
def broker(name: str) -> Iterator[dict[str, str]]:
    """What a process needs to use the broker, under a queue name of its own; skips without one."""
    address = address_of(URLS[name])
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        pytest.skip(HOW_TO_GET[name].format("{}:{}".format(*address)))
    queue = f"test-{uuid.uuid4().hex}"
    yield {"CELERY_BROKER_URL": URLS[name], "CELERY_QUEUE": queue}
    if name == "redis":
        _sweep_redis(queue)
    else:
        with kombu.Connection(URLS[name]) as connection:  # type: ignore[attr-defined,no-untyped-call] # half typed
            connection.default_channel.queue_delete(queue)


def _sweep_redis(queue: str) -> None:
    with redis.Redis.from_url(URLS["redis"]) as client:
        for key in client.scan_iter(f"*{queue}*"):
            client.delete(key)
        for tag, message in client.hscan_iter("unacked"):
            if queue.encode() in message:
                client.hdel("unacked", tag)
                client.zrem("unacked_index", tag)


def address_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or {"redis": 6379}.get(parts.scheme, 5672)


@contextmanager
def deaf_address(how: str) -> Iterator[tuple[str, int]]:
    """Where nobody answers: "refused", "silent" (connects, says nothing), "full" (does not even
    connect)."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        address = listener.getsockname()
        if how == "refused":
            listener.close()
        else:
            listener.listen(0 if how == "full" else 50)
        for _ in range(4 if how == "full" else 0):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(address)
        yield address


class Line:
    """A way to the broker that can be cut and mended."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break what is connected; new connections go through."""
        while self._open:
            with contextlib.suppress(OSError):
                self._open.pop().shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                self._open += [near, far]
                for way in ((near, far), (far, near)):
                    threading.Thread(target=_carry, args=way, daemon=True).start()


@contextmanager
def line_to(name: str) -> Iterator[Line]:
    line = Line(address_of(URLS[name]))
    try:
        yield line
    finally:
        line.close()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
