"""Every provider: being let in, and staying in."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx2
import pytest
from pydantic import SecretStr

from tallystick.kit import clock
from tallystick.ports.errors import (
    Unauthorized,
    Unavailable,
)
from tallystick.ports.sandboxing import Fault, FaultKind, transport
from tallystick.ports.testing import Recorder
from tests.providers import AnyCase, every, push

pytestmark = pytest.mark.usefixtures("virtual_time")


@every()
def test_a_ping_tells_the_company(case: AnyCase) -> None:
    provider = case.connect(case.stand())
    info = provider.ping()
    assert info.id or case.provider.by_callback
    assert info.name
    assert not provider.account() or provider.account() == info.id


@every()
def test_wrong_secrets_ask_to_reconnect(case: AnyCase) -> None:
    stand = case.stand()
    names = [
        name
        for name, held in case.settings(stand)
        if isinstance(held, SecretStr) and "webhook" not in name
    ]
    for name in names:
        with pytest.raises(Unauthorized, match="reconnect"):
            case.connect(stand, changes={name: "wrong"}).ping()


@every()
def test_a_token_that_ended_is_renewed_once(case: AnyCase) -> None:
    if not case.token_path():
        pytest.skip("It has no tokens.")
    stand = case.stand()
    network = Recorder(transport(stand))
    provider = case.connect(stand, network=network)
    provider.ping()
    stand.faults.switch_on(Fault(kind=FaultKind.TOKEN_EXPIRED, times=1))
    provider.ping()
    assert tokens_asked(case, network) == 2


@every()
def test_a_token_is_renewed_before_it_ends(case: AnyCase, virtual_time: clock.VirtualClock) -> None:
    if not case.token_path():
        pytest.skip("It has no tokens.")
    stand = case.stand()
    network = Recorder(transport(stand))
    provider = case.connect(stand, network=network)
    for _ in range(200):
        provider.ping()
        virtual_time.advance(timedelta(minutes=1))
    assert 401 not in [answer.status_code for _, answer in network.passed]
    assert 2 <= tokens_asked(case, network) <= 10


@every()
def test_threads_share_one_token(case: AnyCase) -> None:
    if not case.token_path():
        pytest.skip("It has no tokens.")
    stand = case.stand()
    network = Recorder(transport(stand))
    provider = case.connect(stand, network=network)
    start = threading.Barrier(case.provider.concurrency)

    def ping() -> None:
        start.wait()
        provider.ping()

    with ThreadPoolExecutor(case.provider.concurrency) as pool:
        for future in [pool.submit(ping) for _ in range(case.provider.concurrency)]:
            future.result()
    assert tokens_asked(case, network) == 1


def tokens_asked(case: AnyCase, network: Recorder) -> int:
    return sum(request.url.path.endswith(case.token_path()) for request in network.requests())


TOKEN_ANSWERS = {
    "429": httpx2.Response(429, headers={"retry-after": "7"}),
    "503": httpx2.Response(503, text="<html>Service unavailable</html>"),
    "HTML": httpx2.Response(200, text="<html>One moment</html>"),
    "403 in HTML": httpx2.Response(403, text="<html>", headers={"content-type": "text/html"}),
    "400 in HTML": httpx2.Response(400, text="<html>"),
    "302": httpx2.Response(302, headers={"location": "https://elsewhere.example/"}),
    "no token": httpx2.Response(200, json={"expires_in": 1800}),
    "a token with a line break": httpx2.Response(200, json={"access_token": "a\r\nHost: b"}),
    "a list": httpx2.Response(200, json=["access_token"]),
    "refused": httpx2.ConnectError("refused"),
    "reset": httpx2.ReadError("reset"),
    "time-out": httpx2.ReadTimeout("slow"),
}


@every()
@pytest.mark.parametrize("answer", TOKEN_ANSWERS.values(), ids=TOKEN_ANSWERS)
def test_trouble_at_the_token_endpoint_is_never_uncertain(
    case: AnyCase, answer: httpx2.Response | Exception
) -> None:
    """The call itself never left, so it can be repeated without looking."""
    if not case.token_path():
        pytest.skip("It has no tokens.")
    stand = case.stand()

    def no_token(request: httpx2.Request) -> httpx2.Response:
        assert request.url.path.endswith(case.token_path())
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)

    records = case.records(case.connect(stand), case.kinds[0], 1)
    with pytest.raises(Unavailable):
        push(case.connect(stand, network=httpx2.MockTransport(no_token)), records)


@every()
@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client", "invalid_scope"])
def test_a_refused_grant_asks_to_reconnect(case: AnyCase, error: str) -> None:
    if not case.token_path():
        pytest.skip("It has no tokens.")
    refusal = httpx2.MockTransport(lambda _: httpx2.Response(400, json={"error": error}))
    with pytest.raises(Unauthorized, match="reconnect"):
        case.connect(case.stand(), network=refusal).ping()
