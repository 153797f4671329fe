"""ProgressBar: how far a long command is, on one line of a terminal."""

from __future__ import annotations

from typing import Protocol

from tallystick.kit import clock

_WIDTH = 30
_EVERY = 0.2
"""Seconds between two drawings."""


class Screen(Protocol):
    """Where it is drawn: a text file, or Django's wrapper of one."""

    def isatty(self) -> bool: ...

    def write(self, text: str, /) -> object: ...

    def flush(self) -> object: ...


class ProgressBar:
    """Draws itself on `screen` if that is a terminal; else nothing is ever written."""

    def __init__(self, total: int, screen: Screen) -> None:
        self._total = total
        # Past what a wrapper adds: a line's end, a colour.
        self._out: Screen = getattr(screen, "_out", screen)
        self._is_shown = total > 0 and screen.isatty()
        self._begun = clock.ticking()
        self._drawn: float | None = None
        self._done = 0

    def move(self, done: int) -> None:
        """`done` of the total are; it never goes back."""
        now = clock.ticking()
        self._done = max(self._done, done)
        if not self._is_shown or (self._drawn is not None and now - self._drawn < _EVERY):
            return
        self._drawn = now
        self._write(self.line(self._done, now - self._begun))

    def clear(self) -> None:
        """Take it away, so that something else can be written."""
        if self._is_shown and self._drawn is not None:
            self._write("")
            self._drawn = None

    def line(self, done: int, seconds: float) -> str:
        done = min(done, self._total)
        filled = _WIDTH * done // self._total
        bar = "#" * filled + "." * (_WIDTH - filled)
        rate = done / seconds if seconds else 0.0
        left = f", {_span((self._total - done) / rate)} left" if rate else ""
        return f"[{bar}] {done}/{self._total}, {rate:.1f}/s{left}"

    def _write(self, text: str) -> None:
        # ECMA-48 "erase in line": what was longer before is not to stay.
        self._out.write(f"\r\x1b[K{text}")
        self._out.flush()


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
