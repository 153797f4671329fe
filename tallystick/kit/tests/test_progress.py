from __future__ import annotations

from datetime import timedelta
from io import StringIO

from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock
from tallystick.kit.progress import ProgressBar


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_it_tells_how_far_how_fast_and_how_long() -> None:
    screen = Terminal()
    with clock.use(VirtualClock()) as now:
        bar = ProgressBar(200, screen)
        now.advance(timedelta(seconds=10))
        bar.move(50)
    assert screen.getvalue() == f"\r\x1b[K[{'#' * 7}{'.' * 23}] 50/200, 5.0/s, 0:30 left"


def test_it_never_goes_back_or_past_the_end() -> None:
    screen = Terminal()
    with clock.use(VirtualClock()) as now:
        bar = ProgressBar(2, screen)
        for done in (2, 1, 5):
            now.advance(timedelta(seconds=1))
            bar.move(done)
    assert screen.getvalue().count("2/2") == 3


def test_it_is_not_drawn_more_often_than_anyone_can_see() -> None:
    screen = Terminal()
    with clock.use(VirtualClock()):
        bar = ProgressBar(1000, screen)
        for done in range(1000):
            bar.move(done)
    assert screen.getvalue().count("\r") == 1


def test_it_is_taken_away() -> None:
    screen = Terminal()
    with clock.use(VirtualClock()):
        bar = ProgressBar(2, screen)
        bar.move(1)
        bar.clear()
        bar.clear()
    assert screen.getvalue().endswith("\r\x1b[K")


def test_a_file_is_no_terminal() -> None:
    screen = StringIO()
    bar = ProgressBar(2, screen)
    bar.move(1)
    bar.clear()
    assert not screen.getvalue()


def test_of_nothing_nothing_is_shown() -> None:
    screen = Terminal()
    ProgressBar(0, screen).move(0)
    assert not screen.getvalue()
