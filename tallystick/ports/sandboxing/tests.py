from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime

import httpx2
import pytest

from tallystick.kit.clock import VirtualClock
from tallystick.ports.sandboxing import (
    Answer,
    BadAction,
    Fault,
    FaultKind,
    Faults,
    Ledger,
    Request,
    Stand,
    Table,
    action,
    transport,
)

URL = "https://any.example/counting/things"
BODY = b'{"things": [1, 2, 3]}'


class Counting(Stand):
    """Makes a thing at each POST; one call at a time."""

    name = "counting"
    title = "Counting"
    is_busy = False

    def arrive(self, request: Request) -> Answer | None:
        if self.is_busy:
            return Answer(429)
        self.is_busy = True
        return None

    def leave(self, request: Request) -> None:
        self.is_busy = False

    def respond(self, request: Request) -> Answer:
        if request.method == "POST":
            self.ledger.made("things", request.body.decode())
        return Answer(200, {"content-type": "application/json"}, BODY)

    def state(self) -> list[Table]:
        return []

    @action
    def add(self, key: str) -> dict[str, int]:
        self.ledger.made("things", key)
        return self.ledger.counts("things")


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def stand(clock: VirtualClock) -> Counting:
    return Counting(clock)


@pytest.fixture
def client(stand: Counting) -> Iterator[httpx2.Client]:
    with httpx2.Client(transport=transport(stand), timeout=7) as client:
        yield client


def test_a_stand_answers_whatever_the_host(client: httpx2.Client, stand: Counting) -> None:
    assert client.post(URL, content="a").content == BODY
    (call,) = stand.calls
    assert (call.method, call.path, call.status) == ("POST", "/things", 200)


@pytest.mark.parametrize(
    ("kind", "error", "is_made"),
    [
        (FaultKind.REFUSED, httpx2.ConnectError, False),
        (FaultKind.BLACK_HOLE, httpx2.ReadTimeout, False),
        (FaultKind.LOST_ANSWER, httpx2.ReadTimeout, True),
        (FaultKind.HANG_UP, httpx2.RemoteProtocolError, False),
        (FaultKind.RESET, httpx2.ReadError, True),
    ],
)
def test_faults_without_an_answer(
    client: httpx2.Client,
    stand: Counting,
    kind: FaultKind,
    error: type[Exception],
    is_made: bool,
) -> None:
    stand.faults.switch_on(Fault(kind=kind, times=1))
    with pytest.raises(error):
        client.post(URL, content="a")
    assert stand.ledger.counts("things") == ({"a": 1} if is_made else {})
    assert stand.calls[-1].note == kind
    assert stand.calls[-1].status == 0
    assert client.post(URL, content="b").status_code == 200


@pytest.mark.parametrize(
    ("kind", "status", "is_made"),
    [
        (FaultKind.TRUNCATED, 200, True),
        (FaultKind.HTML, 200, True),
        (FaultKind.STATUS, 503, False),
        (FaultKind.TOO_MANY, 429, False),
        (FaultKind.TOKEN_EXPIRED, 200, True),
        (FaultKind.SLOW_BODY, 200, True),
    ],
)
def test_faults_with_an_answer(
    client: httpx2.Client,
    stand: Counting,
    kind: FaultKind,
    status: int,
    is_made: bool,
) -> None:
    stand.faults.switch_on(Fault(kind=kind, times=1))
    answer = client.post(URL, content="a")
    assert answer.status_code == status
    assert stand.ledger.counts("things") == ({"a": 1} if is_made else {})
    if kind is FaultKind.TRUNCATED:
        assert BODY.startswith(answer.content)
        assert answer.content != BODY


def test_a_gateway_may_fail_after_the_commit(client: httpx2.Client, stand: Counting) -> None:
    stand.faults.switch_on(Fault(kind=FaultKind.STATUS, status=502, committed=True))
    assert client.post(URL, content="a").status_code == 502
    assert stand.ledger.counts("things") == {"a": 1}


def test_time_passes_on_the_virtual_clock(client: httpx2.Client, stand: Counting) -> None:
    start = stand.now()
    stand.faults.switch_on(Fault(kind=FaultKind.LATENCY, seconds=2))
    stand.faults.switch_on(Fault(kind=FaultKind.LATENCY, seconds=3))
    client.get(URL)
    assert stand.now() - start == timedelta(seconds=5)
    stand.faults.switch_on(Fault(kind=FaultKind.BLACK_HOLE, times=1))
    with pytest.raises(httpx2.ReadTimeout):
        client.get(URL)
    assert stand.now() - start == timedelta(seconds=17)
    stand.faults.switch_on(Fault(kind=FaultKind.SLOW_BODY, times=1))
    client.get(URL)
    assert stand.now() - start == timedelta(seconds=22 + len(BODY))


def test_an_answer_that_comes_too_late_was_carried_out(
    client: httpx2.Client, stand: Counting
) -> None:
    stand.faults.switch_on(Fault(kind=FaultKind.LATENCY, seconds=8))
    with pytest.raises(httpx2.ReadTimeout):
        client.post(URL, content="a")
    assert stand.ledger.counts("things") == {"a": 1}


@pytest.mark.parametrize(
    ("fields", "header"),
    [
        ({"retry_after": 12}, "12"),
        ({"retry_after": 10**9}, "1000000000"),
        ({"retry_after": None}, None),
        ({"retry_after": 60, "retry_after_form": "date"}, "Thu, 01 Jan 2026 00:01:00 GMT"),
    ],
)
def test_retry_after_in_all_forms(
    client: httpx2.Client, stand: Counting, fields: dict[str, object], header: str | None
) -> None:
    stand.faults.switch_on(Fault.model_validate({"kind": "too many", **fields}))
    answer = client.get(URL)
    assert answer.headers.get("retry-after") == header
    if header and "GMT" in header:
        assert parsedate_to_datetime(header) - stand.now() == timedelta(minutes=1)


def test_a_fault_strikes_what_it_matches_and_so_often() -> None:
    fault = Fault(kind=FaultKind.STATUS, method="put", path="/INVOICES", times=2)
    faults = Faults([fault])
    assert faults.strike("GET", "/x/Invoices") == (0.0, None)
    assert faults.strike("PUT", "/x/Contacts") == (0.0, None)
    assert [faults.strike("PUT", "/x/Invoices")[1] for _ in range(3)] == [fault, fault, None]
    assert [(armed.struck, armed.spent) for armed in faults.armed()] == [(2, True)]


def test_chance_is_replayable() -> None:
    def struck(seed: int) -> list[bool]:
        faults = Faults([Fault(kind=FaultKind.HTML, probability=0.3)], seed=seed)
        return [faults.strike("GET", "/")[1] is not None for _ in range(200)]

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert 30 < sum(struck(1)) < 90


def test_faults_are_switched_off_by_number() -> None:
    faults = Faults()
    number = faults.switch_on(Fault(kind=FaultKind.HTML))
    assert faults.switch_off(number)
    assert not faults.switch_off(number)
    assert faults.armed() == []


def test_a_refused_arrival_does_not_leave(stand: Counting) -> None:
    stand.is_busy = True
    assert stand.handle(Request("GET", "/things")).status == 429
    assert stand.is_busy
    stand.is_busy = False
    assert stand.handle(Request("GET", "/things")).status == 200
    assert not stand.is_busy
    assert dict(stand.counts) == {"429": 1, "200": 1}


def test_actions_are_named_and_checked(stand: Counting) -> None:
    assert stand.actions() == ["add"]
    assert stand.act("add", {"key": "a"}) == {"a": 1}
    for name, arguments in (("reset", {}), ("add", {}), ("add", {"key": "a", "more": 1})):
        with pytest.raises(BadAction):
            stand.act(name, arguments)


def test_the_ledger_counts_what_was_made() -> None:
    ledger = Ledger()
    for account, key in (("one", "a"), ("one", "a"), ("two", "a")):
        ledger.made("things", key, account=account)
    assert ledger.counts("things") == {"a": 3}
    assert ledger.counts("things", account="two") == {"a": 1}
    assert ledger.counts("others") == {}
    assert ledger.doubled() == [("one", "things", "a")]


def test_reset_is_as_new(client: httpx2.Client, stand: Counting) -> None:
    client.post(URL, content="a")
    stand.faults.switch_on(Fault(kind=FaultKind.HTML))
    stand.reset()
    assert (len(stand.calls), stand.ledger.dump(), stand.faults.armed()) == (0, {}, [])
