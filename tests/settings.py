"""The ready site with what only tests need: a queue of its own, and a journal that may be emptied."""

from __future__ import annotations

from tallystick.settings import *  # noqa: F403
from tallystick.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.queueapp"]
