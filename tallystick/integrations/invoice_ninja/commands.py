"""What the commands for Invoice Ninja have in common."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tallystick.integrations.invoice_ninja.asked import WRONG, CannotBe


class NinjaCommand(BaseCommand):
    """Its options name what is here: what cannot be is said, with status 2."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except CannotBe as error:
            raise CommandError(str(error), returncode=WRONG) from None
