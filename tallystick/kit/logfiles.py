"""A log file of its own, where there is a place for one."""

from __future__ import annotations

import logging
import os
import sys
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

BYTES, KEPT = 5_000_000, 5


class LogFile(RotatingFileHandler):
    """Several processes write to the file; the first to find it full puts it aside, and the others
    follow. It and its folder are made with the first line. Where that cannot be, as in a container
    that may not write, the lines go to stderr instead."""

    def __init__(self, filename: str | Path, *, size: int = BYTES) -> None:
        super().__init__(filename, maxBytes=size, backupCount=KEPT, encoding="utf-8", delay=True)
        self._elsewhere: logging.Handler | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if self._elsewhere:
            self._elsewhere.emit(record)
        else:
            super().emit(record)

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802 - logging's name
        self._follow()
        return bool(super().shouldRollover(record))

    def doRollover(self) -> None:  # noqa: N802
        """Unless another process has just done it."""
        self._follow()
        path = Path(self.baseFilename)
        if path.exists() and path.stat().st_size > self.maxBytes // 2:
            super().doRollover()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """The file cannot be written."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)
            return
        self._elsewhere = logging.StreamHandler()
        self._elsewhere.setFormatter(self.formatter)
        self._elsewhere.emit(record)

    def _open(self) -> TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()

    def _follow(self) -> None:
        """Let go of a file that another process has put aside."""
        path = Path(self.baseFilename)
        if self.stream is None:
            return
        if not path.exists() or path.stat().st_ino != os.fstat(self.stream.fileno()).st_ino:
            self.stream.close()
            self.stream = None
