"""A log file of its own, where there is a place for one."""

from __future__ import annotations

import logging
import os
import sys
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from os.path import samestat
from pathlib import Path

from tallystick.kit import clock

BYTES, KEPT = 5_000_000, 5
PAUSE = 60.0
"""Seconds for which a file that could not be written is let be."""


class LogFile(RotatingFileHandler):
    """Several processes write to the file; the first to find it full puts it aside, and the others
    follow. It and its folder are made with the first line. Where that cannot be, as in a container
    that may not write, the lines go to stderr instead, and once a minute the file is tried again."""

    def __init__(self, filename: str | Path, *, size: int = BYTES) -> None:
        super().__init__(filename, maxBytes=size, backupCount=KEPT, encoding="utf-8", delay=True)
        self._path = Path(self.baseFilename)
        self._away_until = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        if clock.ticking() < self._away_until:
            self._emit_elsewhere(record)
        else:
            super().emit(record)

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802 - logging's name
        """Whether the line before this one has filled it: one look at the file for each line."""
        del record
        return self._size() >= self.maxBytes

    def doRollover(self) -> None:  # noqa: N802
        """Unless another process has just done it."""
        if self._size() > self.maxBytes // 2:
            super().doRollover()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """The file cannot be written."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)
            return
        self._away_until = clock.ticking() + PAUSE
        self._emit_elsewhere(record)

    def _emit_elsewhere(self, record: logging.LogRecord) -> None:
        elsewhere = logging.StreamHandler()
        elsewhere.setFormatter(self.formatter)
        elsewhere.emit(record)

    def _open(self) -> TextIOWrapper:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return super()._open()

    def _size(self) -> int:
        """Of the file as it is now. One that another process has put aside is let go of."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            found = None
        if self.stream and (found is None or not samestat(found, os.fstat(self.stream.fileno()))):
            self.stream.close()
            self.stream = None
        return found.st_size if found else 0
