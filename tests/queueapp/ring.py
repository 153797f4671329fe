"""Wakes the queue "jobs" once for each line read; writes how many milliseconds that took, and
whether the broker was reached.

A process of its own: the broker is a setting.
"""

from __future__ import annotations

import sys
import time

import django

django.setup()

from tallystick import celery, queue  # noqa: E402
from tallystick.queue import waking  # noqa: E402


def ring() -> str:
    celery.app.loader.import_default_modules()
    waking.bell.silent_until = float("-inf")
    began = time.perf_counter()
    queue.wake("jobs")
    took = (time.perf_counter() - began) * 1000
    return f"{took:.1f} {'silence' if waking.bell.is_silent else 'reached'}"


for _line in sys.stdin:
    sys.stdout.write(ring() + "\n")
    sys.stdout.flush()
