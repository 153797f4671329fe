from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tallystick.kit import clock


def test_the_time_is_aware_and_in_utc() -> None:
    assert clock.now().utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - clock.now()) < timedelta(seconds=5)


def test_a_virtual_clock_moves_when_told() -> None:
    with clock.use(clock.VirtualClock()) as virtual:
        start = clock.now()
        clock.sleep(90)
        assert clock.now() - start == timedelta(seconds=90)
        virtual.advance(timedelta(days=1))
        assert clock.now() - start == timedelta(days=1, seconds=90)


def test_the_former_clock_comes_back_whatever_happens() -> None:
    before = clock.current()
    with pytest.raises(ZeroDivisionError), clock.use(clock.VirtualClock()):
        raise ZeroDivisionError
    assert clock.current() is before
