"""Django's `dumpdata`, which is about every website."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import dumpdata

from tallystick.accounts import tenancy


class Command(dumpdata.Command):
    def handle(self, *app_labels: str, **options: Any) -> None:
        with tenancy.everywhere():
            super().handle(*app_labels, **options)
