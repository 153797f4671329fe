"""Invoice Ninja and Tallystick behind one real socket, for a bridge in a process of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tallystick.ports.sandboxing import Answer, Request
from tallystick.providers.invoiceninja.sandbox import InvoiceNinjaStand

_CALLBACKS = "/api/invoice-ninja/"


@dataclass
class Gate:
    """Holds the first call that matches, before or after it is carried out, until it is opened."""

    method: str
    path: str
    after: bool
    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def pass_through(self, request: Request, *, after: bool) -> None:
        matches = self.method == request.method and self.path in request.path
        if matches and self.after is after and not self.opened.is_set():
            self.reached.set()
            self.opened.wait(60)


class Outside:
    def __init__(self) -> None:
        self.stand = InvoiceNinjaStand()
        self.gate: Gate | None = None
        self.callbacks: list[dict[str, Any]] = []
        self.came = threading.Semaphore(0)
        self.url = ""

    def answer(self, request: Request) -> Answer:
        self._gate(request, after=False)
        if request.path.startswith(_CALLBACKS):
            self.callbacks.append(json.loads(request.body))
            answer = Answer(200, {"content-type": "application/json"}, b"{}")
        else:
            answer = self.stand.handle(request)
        self._gate(request, after=True)
        if request.path.startswith(_CALLBACKS):
            self.came.release()
        return answer

    def _gate(self, request: Request, *, after: bool) -> None:
        if self.gate:
            self.gate.pass_through(request, after=after)


@contextmanager
def outside() -> Iterator[Outside]:
    found = Outside()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("content-length", 0))
            request = Request(
                self.command,
                parts.path,
                dict(parse_qsl(parts.query)),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length),
            )
            answer = found.answer(request)
            try:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
            except OSError:
                self.close_connection = True  # the bridge was killed while it waited

        do_GET = do_POST = do_PUT = _serve  # noqa: N815 - names of the base class

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        if found.gate:
            found.gate.opened.set()
        server.shutdown()
        server.server_close()
        thread.join()
