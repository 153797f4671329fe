"""wake(): tell the workers that a queue has work. A hint: lost or doubled, it harms nothing."""

from __future__ import annotations

import logging
from functools import partial

from django.conf import settings
from django.db import transaction

from tallystick.kit import clock

logger = logging.getLogger(__name__)

SILENCE_SECONDS = 5.0
"""After a failure the broker is left alone for so long: ticks find the work meanwhile."""


class Bell:
    """Rings at the broker, and is silent for a while after it could not."""

    def __init__(self) -> None:
        self.silent_until = float("-inf")

    @property
    def is_silent(self) -> bool:
        return clock.ticking() < self.silent_until

    def ring(self, name: str) -> None:
        if self.is_silent:
            return
        from tallystick import celery  # only where Celery is in use

        try:
            celery.send_drain(name)
        except Exception as error:  # noqa: BLE001 - transports raise their own; a hint may be lost
            self.silent_until = clock.ticking() + SILENCE_SECONDS
            logger.warning("the broker cannot be reached: %s", type(error).__name__)


bell = Bell()


def wake(name: str) -> None:
    """Tell the workers, after the commit, that queue `name` has work. Never raises, never waits
    longer than a third of a second. Without a broker the workers look by themselves."""
    if settings.CELERY_BROKER_URL:
        transaction.on_commit(partial(bell.ring, name))
