"""What is done once the answer is out: how long it takes tells nobody anything."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils import translation

logger = logging.getLogger(__name__)

Work = Callable[[], object]


def afterwards(request: HttpRequest, work: Work) -> None:
    """Call `work` when `request` has been answered. It is tried once: a crash forgets it."""
    waiting: list[Work] = request.__dict__.setdefault("_afterwards", [])
    language = translation.get_language() or "en"

    def speaking() -> None:
        with translation.override(language):
            work()

    waiting.append(speaking)


class Afterwards:
    """Middleware: does what `afterwards` was given."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        waiting: list[Work] = request.__dict__.get("_afterwards", [])
        if waiting:
            # What Django closes files with, after the last byte of the answer.
            closers = response._resource_closers  # type: ignore[attr-defined] # not in the stubs
            closers.append(lambda: _do(waiting))
        return response


def _do(waiting: list[Work]) -> None:
    while waiting:
        try:
            waiting.pop(0)()
        except Exception:
            logger.exception("What was left to do after an answer failed")
