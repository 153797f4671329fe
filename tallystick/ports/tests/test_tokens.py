from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from pydantic import SecretStr

from tallystick.kit import clock
from tallystick.ports.errors import ProviderError, RateLimited, Unauthorized, Unavailable
from tallystick.ports.exchange import Line
from tallystick.ports.http import Api, Nothing
from tallystick.ports.tokens import ClientCredentials


class Endpoint:
    """A token endpoint that counts, and holds answers back until told."""

    def __init__(self, *, life: object = 1800) -> None:
        self.asked = 0
        self.life = life
        self.go = threading.Event()
        self.go.set()
        self.failure: httpx2.Response | None = None

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        self.go.wait(5)
        if self.failure:
            return self.failure
        said = {} if self.life is None else {"expires_in": self.life}
        return httpx2.Response(200, json={"access_token": f"token-{self.asked}", **said})


def credentials(endpoint: Endpoint) -> ClientCredentials:
    return ClientCredentials(
        "Test",
        "https://id.example/token",
        client_id="id",
        client_secret=SecretStr("secret"),
        scopes="a b",
        transport=httpx2.MockTransport(endpoint),
    )


@pytest.mark.parametrize(
    ("life", "good_for"), [(1800, 1739), (2, 1.7), ("60", 53), (None, 269), (10**9, 86_339)]
)
def test_a_token_is_kept_until_shortly_before_its_end(life: object, good_for: float) -> None:
    with clock.use(clock.VirtualClock()) as time:
        endpoint = Endpoint(life=life)
        tokens = credentials(endpoint)
        tokens.token()
        time.sleep(good_for)
        assert tokens.token() == "token-1"
        time.sleep(2)
        assert tokens.token() == "token-2"


def test_a_token_that_was_refused_is_replaced_once_however_many_saw_it() -> None:
    endpoint = Endpoint()
    tokens = credentials(endpoint)
    first = tokens.token()
    assert {tokens.token(instead_of=first) for _ in range(5)} == {"token-2"}


def test_those_who_waited_share_the_failure() -> None:
    endpoint = Endpoint()
    endpoint.failure = httpx2.Response(429, headers={"retry-after": "7"})
    endpoint.go.clear()
    tokens = credentials(endpoint)
    queue = Queue(4)
    tokens._lock = queue  # type: ignore[assignment] # a lock that counts

    def ask() -> ProviderError:
        with pytest.raises(RateLimited) as caught:
            tokens.token()
        return caught.value

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        assert queue.all_here.wait(5)
        endpoint.go.set()
        errors = [each.result() for each in asking]
    assert all(isinstance(error, RateLimited) and error.retry_after == 7 for error in errors)
    assert endpoint.asked == 1
    endpoint.failure = None
    assert tokens.token() == "token-2"


class Queue:
    """A lock that tells when so many have come to it."""

    def __init__(self, number: int) -> None:
        self.all_here = threading.Event()
        self._lock, self._counting = threading.Lock(), threading.Lock()
        self._missing = number

    def __enter__(self) -> None:
        with self._counting:
            self._missing -= 1
            if not self._missing:
                self.all_here.set()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_a_second_refusal_is_the_owners_business() -> None:
    endpoint = Endpoint()
    refused: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        refused.append(request.headers["authorization"])
        return httpx2.Response(401)

    line = Line(credentials(endpoint), httpx2.MockTransport(answer))
    with pytest.raises(Unauthorized, match="reconnect"):
        Api("Test", "https://api.example", line=line).send("POST", "/", Nothing, json={})
    assert refused == ["Bearer token-1", "Bearer token-2"]


def test_a_token_that_cannot_be_renewed_leaves_the_call_undone() -> None:
    """The provider turned the call away, so it was not carried out: no need to look."""
    endpoint = Endpoint()
    tokens = credentials(endpoint)
    tokens.token()
    endpoint.failure = httpx2.Response(503)
    line = Line(tokens, httpx2.MockTransport(lambda _: httpx2.Response(401)))
    with pytest.raises(Unavailable):
        Api("Test", "https://api.example", line=line).send("POST", "/", Nothing, json={})


def test_credentials_do_not_show() -> None:
    tokens = credentials(Endpoint())
    tokens.token()
    shown = f"{tokens!r} {Line(tokens)!r} {vars(tokens)['_endpoint']!r}"
    assert "secret" not in shown
    assert "token-1" not in shown
