"""The ready site with what only tests need: a queue of its own, and tables that may be emptied."""

from __future__ import annotations

import os

# Development's keys, so that `pytest` alone will do; before the settings are read.
os.environ.setdefault("DEBUG", "True")
os.environ.setdefault("LOG_DIR", ".cache/logs")

from tallystick.settings import *  # noqa: F403
from tallystick.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.queueapp"]
# A hundredth of a second instead of half of one for each person that a test makes.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
