"""Every provider: what goes wrong on the way, and what is said about it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tallystick.kit import clock
from tallystick.ports.errors import (
    Garbled,
    ProviderError,
    RateLimited,
    Unavailable,
    Uncertain,
)
from tallystick.ports.metering import Meter
from tallystick.ports.records import Kind
from tallystick.ports.sandboxing import Fault, FaultKind, transport
from tallystick.ports.testing import Recorder
from tests.providers import AnyCase, every, every_push, find, fit_to_show, push

pytestmark = pytest.mark.usefixtures("virtual_time")


Expected = type[ProviderError]
WRITE_FAULTS: dict[str, tuple[Fault, Expected]] = {
    "refused": (Fault(kind=FaultKind.REFUSED), Unavailable),
    "black hole": (Fault(kind=FaultKind.BLACK_HOLE), Uncertain),
    "time-out before it": (Fault(kind=FaultKind.LOST_ANSWER, committed=False), Uncertain),
    "time-out after it": (Fault(kind=FaultKind.LOST_ANSWER), Uncertain),
    "too late": (Fault(kind=FaultKind.LATENCY, seconds=40), Uncertain),
    "hang up": (Fault(kind=FaultKind.HANG_UP), Uncertain),
    "hang up after it": (Fault(kind=FaultKind.HANG_UP, committed=True), Uncertain),
    "reset in the body": (Fault(kind=FaultKind.RESET), Uncertain),
    "truncated": (Fault(kind=FaultKind.TRUNCATED), Garbled),
    "HTML": (Fault(kind=FaultKind.HTML), Garbled),
    "slow body": (Fault(kind=FaultKind.SLOW_BODY), Uncertain),
    "302": (Fault(kind=FaultKind.STATUS, status=302), Garbled),
    **{
        f"{status}": (Fault(kind=FaultKind.STATUS, status=status), Uncertain)
        for status in (408, 500, 501, 502, 503, 504, 520)
    },
    "503 after it": (Fault(kind=FaultKind.STATUS, status=503, committed=True), Uncertain),
    "403 by a gateway": (Fault(kind=FaultKind.STATUS, status=403), Unavailable),
    "429": (Fault(kind=FaultKind.TOO_MANY), RateLimited),
}
_IN_A_SUCCESS = {FaultKind.TRUNCATED, FaultKind.HTML, FaultKind.SLOW_BODY}


def is_noticed(case: AnyCase, fault: Fault) -> bool:
    """Whatever a go-between says with 2xx, and however slowly, it has accepted."""
    return not (case.provider.by_callback and fault.kind in _IN_A_SUCCESS)


@every_push
@pytest.mark.parametrize(("fault", "error"), WRITE_FAULTS.values(), ids=WRITE_FAULTS)
def test_a_fault_while_making_something(
    case: AnyCase, kind: Kind, fault: Fault, error: Expected
) -> None:
    """It says whether to look before a repeat; a look and a repeat then end with exactly one. A
    go-between bears repeats: there is nothing to look for."""
    if not is_noticed(case, fault):
        pytest.skip("A go-between has accepted it.")
    bears_repeats = case.provider.by_callback
    if bears_repeats and issubclass(error, Uncertain):
        error = Unavailable
    stand = case.stand()
    provider = case.connect(stand)
    records = case.records(provider, kind, 2)
    armed = fault.model_copy(
        update={"method": case.written_with, "path": case.path(kind), "times": 1}
    )
    stand.faults.switch_on(armed)
    with pytest.raises(error) as caught:
        push(provider, records)
    assert isinstance(caught.value, Uncertain) == issubclass(error, Uncertain)
    assert fit_to_show(str(caught.value))
    if isinstance(caught.value, RateLimited):
        clock.sleep(caught.value.retry_after)
    missing = [
        record for record, there in zip(records, find(provider, records), strict=True) if not there
    ]
    if missing:
        case.settled(stand, missing, push(provider, missing, "1" if bears_repeats else "2"))
    made = stand.ledger.counts(case.noun(kind))
    assert all(made[case.natural_key(record)] == 1 for record in records)


@every()
@pytest.mark.parametrize("fault", [f for f, _ in WRITE_FAULTS.values()], ids=WRITE_FAULTS)
def test_a_fault_while_reading_is_only_a_reason_to_wait(case: AnyCase, fault: Fault) -> None:
    if not is_noticed(case, fault):
        pytest.skip("A go-between has accepted it.")
    stand = case.stand()
    provider = case.connect(stand)
    provider.ping()
    stand.faults.switch_on(fault.model_copy(update={"times": 1}))
    with pytest.raises(Unavailable):
        provider.ping()
    clock.sleep(60)
    provider.ping()


@every()
@pytest.mark.parametrize("form", ["seconds", "date"])
@pytest.mark.parametrize("seconds", [0, 1, 30, 86_000])
def test_it_says_how_long_to_wait(case: AnyCase, form: Any, seconds: int) -> None:  # noqa: ANN401
    stand = case.stand()
    provider = case.connect(stand)
    provider.ping()
    stand.faults.switch_on(
        Fault(kind=FaultKind.TOO_MANY, retry_after=seconds, retry_after_form=form, times=1)
    )
    with pytest.raises(RateLimited) as caught:
        provider.ping()
    assert caught.value.retry_after == seconds


@every()
def test_it_knows_how_long_to_wait_when_it_is_not_told(case: AnyCase) -> None:
    stand = case.stand()
    provider = case.connect(stand)
    provider.ping()
    stand.faults.switch_on(Fault(kind=FaultKind.TOO_MANY, retry_after=None, times=1))
    with pytest.raises(RateLimited) as caught:
        provider.ping()
    assert 1 <= caught.value.retry_after <= 3600


@every()
def test_calls_are_counted_and_what_is_left_is_read(case: AnyCase) -> None:
    meter = Meter()
    provider = case.connect(case.stand(), meter=meter)
    for _ in range(3):
        provider.ping()
    calls, left = meter.take()
    assert calls == 3
    known = {limit.name: limit.calls for limit in provider.limits}
    assert all(known[name] - calls <= remaining < known[name] for name, remaining in left.items())


@every()
def test_secrets_are_not_told(
    case: AnyCase, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in a log at its most talkative, not in an error, not in what it was caused by."""
    monkeypatch.setattr(logging.root, "level", logging.DEBUG)
    stand = case.stand()
    with caplog.at_level(logging.DEBUG):
        debug = {"debug": True} if "debug" in case.provider.settings_class.model_fields else {}
        network = Recorder(transport(stand))
        provider = case.connect(stand, network=network, changes=debug)
        records = case.records(provider, case.kinds[0], 2)
        push(provider, records)
        told = [caplog.text]
        for fault in [fault for fault, _ in WRITE_FAULTS.values() if is_noticed(case, fault)]:
            stand.faults.switch_on(fault.model_copy(update={"times": 1}))
            with pytest.raises(ProviderError) as caught:
                provider.ping()
            told.append(f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}")
            clock.sleep(60)
        told.append(caplog.text)
    secrets = case.secrets(provider.settings)
    signed = {request.headers.get("authorization", "") for request in network.requests()}
    secrets += [header.rpartition(" ")[2] for header in signed if header]
    assert not [secret for secret in secrets if any(secret in text for text in told)]
    assert not debug or "example.org" not in caplog.text
    assert not debug or "[e-mail]" in caplog.text or not case.logs_bodies
