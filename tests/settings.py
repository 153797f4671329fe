"""The ready site with what only tests need: a queue of its own, and tables that may be emptied."""

from __future__ import annotations

import os

# Development's keys, so that `pytest` alone will do; before the settings are read.
os.environ.setdefault("DEBUG", "True")

from tallystick.settings import *  # noqa: F403
from tallystick.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.queueapp"]
