"""The wire on a real socket: what a provider, or something in its place, may do to it."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import httpx2
import pytest
from pydantic import BaseModel

from tallystick.kit import clock
from tallystick.ports import wire
from tallystick.ports.errors import Garbled, Unavailable, Uncertain
from tallystick.ports.exchange import Line, secure_url
from tallystick.ports.http import Api, Nothing

Serve = Callable[[socket.socket], None]


class Reply(BaseModel):
    word: str


@contextmanager
def server(serve: Serve, times: int = 1) -> Iterator[str]:
    """An address where `serve` has the socket, after the request's head was read."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            for _ in range(times):
                connection, _ = listening.accept()
                with connection:
                    connection.recv(65536)
                    serve(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(5)


def saying(*parts: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)

    return serve


def head(length: int, *more: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {length}", *more, "", ""]
    return "\r\n".join(lines).encode()


def test_an_answer_arrives() -> None:
    body = b'{"word": "yes"}'
    with server(saying(head(len(body)), body)) as url:
        api = Api("Test", url)
        assert api.get("/", Reply).word == "yes"
        api.close()


def test_nobody_there_is_no_reason_to_look() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    api = Api("Test", f"http://127.0.0.1:{port}")
    with pytest.raises(Unavailable, match="cannot be reached"):
        api.send("POST", "/", Nothing, json={})
    api.close()


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ([], Uncertain),
        ([b"HTTP/1.1 200"], Uncertain),
        ([b"not HTTP at all\r\n\r\n"], Uncertain),
        ([head(100), b"{"], Uncertain),
        ([head(10, "Content-Encoding: gzip"), b"not gzip.."], Garbled),
    ],
)
def test_half_an_answer_to_a_write(parts: list[bytes], error: type[Exception]) -> None:
    with server(saying(*parts)) as url:
        api = Api("Test", url)
        with pytest.raises(error):
            api.send("POST", "/", Nothing, json={})
        api.close()


def test_a_body_at_one_byte_a_second_ends() -> None:
    with clock.use(clock.VirtualClock()) as time:

        def drip(connection: socket.socket) -> None:
            connection.sendall(head(1000))
            with suppress(OSError):
                for _ in range(1000):
                    time.sleep(1)
                    connection.sendall(b" ")

        with server(drip) as url:
            api = Api("Test", url)
            with pytest.raises(Unavailable, match="in time"):
                api.get("/", Reply)
            api.close()


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_without_end_is_not_read_to_it(packed: bool) -> None:
    body = b" " * (wire.MAX_BYTES + 1)
    body, *encoding = (gzip.compress(body), "Content-Encoding: gzip") if packed else (body,)
    network = httpx2.MockTransport(
        lambda _: httpx2.Response(
            200, headers=dict(one.split(": ") for one in encoding), stream=httpx2.ByteStream(body)
        )
    )
    api = Api("Test", "https://api.example", line=Line(transport=network))
    with pytest.raises(Garbled, match="cannot be read"):
        api.send("POST", "/", Nothing, json={})


def test_redirects_and_cookies_are_not_followed() -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        elsewhere = {"location": "http://169.254.169.254/", "set-cookie": "a=b; Path=/"}
        return httpx2.Response(302 if len(seen) == 1 else 200, headers=elsewhere, content=b"{}")

    api = Api("Test", "https://api.example", line=Line(transport=httpx2.MockTransport(answer)))
    with pytest.raises(Unavailable, match="HTTP 302"):
        api.get("/", Nothing)
    api.get("/", Nothing)
    assert [request.url.host for request in seen] == ["api.example"] * 2
    assert "cookie" not in seen[1].headers


def test_a_borrowed_network_is_left_open() -> None:
    class Network(httpx2.MockTransport):
        closed = False

        def close(self) -> None:
            self.closed = True

    network = Network(lambda _: httpx2.Response(200))
    Api("Test", "https://api.example", line=Line(transport=network)).close()
    assert not network.closed


@pytest.mark.parametrize(
    "url",
    ["https://api.example", "https://api.example:8443/v2", "http://127.0.0.1:9000",
     "http://localhost/xero", "http://[::1]:80", "http://xero.localhost"],
)  # fmt: skip
def test_an_address_we_speak_to(url: str) -> None:
    assert secure_url(url + "/") == url


@pytest.mark.parametrize(
    "url",
    ["http://api.example", "http://127.0.0.1.example", "http://localhost.example", "ftp://a.example",
     "https://user@a.example", "https://a.example?x=1", "https://a.example#x", "https:///x", "",
     "//a.example", "http://2130706433", "http://[::ffff:10.0.0.1]", "https://[::1"],
)  # fmt: skip
def test_an_address_we_do_not_speak_to(url: str) -> None:
    with pytest.raises(ValueError, match=r"is not|IPv6"):
        secure_url(url)


def test_http_to_another_machine_must_be_allowed() -> None:
    url = "http://bridge:8000/webhook"
    assert secure_url(url, allow_http=True) == url
    with pytest.raises(ValueError, match="is not https"):
        secure_url("ftp://bridge:8000/webhook", allow_http=True)
    with pytest.raises(ValueError, match="is not https"):
        Api("Test", url)
    Api("Test", url, line=Line(allow_http=True)).close()


def test_text_that_is_no_text_does_not_leave() -> None:
    api = Api("Test", "https://api.example", line=Line(transport=httpx2.MockTransport(_never)))
    with pytest.raises(Exception, match="cannot be written"):
        api.send("POST", "/", Nothing, json={"name": "\ud800"})


def _never(request: httpx2.Request) -> httpx2.Response:
    raise AssertionError(request)
