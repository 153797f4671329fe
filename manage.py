#!/usr/bin/env python
from __future__ import annotations

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from tallystick.kit.env import BadSetting


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tallystick.settings")
    try:
        execute_from_command_line(sys.argv)
    except (BadSetting, ImproperlyConfigured) as error:
        sys.exit(f"tallystick: {error}")


if __name__ == "__main__":
    main()
