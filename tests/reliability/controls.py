"""Negative controls: what is taken away from the engine so that a test which relies on it must fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

from tallystick.integrations import recovery
from tallystick.integrations.push import PushRun
from tallystick.queue.rows import State
from tests.reliability.venues import Venue


@contextmanager
def without_looking(venue: Venue) -> Iterator[None]:
    """A lost create is sent again as if it had never left."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(recovery, "recover", forget_attempts))
        for whose, name, instead in venue.safeguards:
            stack.enter_context(mock.patch.object(whose, name, instead))
        yield


def forget_attempts(run: PushRun) -> None:
    run.due().filter(remote_id="").exclude(attempt_key="").update(attempt_key="", state=State.DUE)
