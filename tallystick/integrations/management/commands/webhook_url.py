from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from tallystick.integrations import registry


class Command(BaseCommand):
    help = "Print the address to paste at the provider, for its webhooks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "type", type=str.upper, choices=[kind for kind, _ in registry.choices()]
        )

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        base = f"https://{settings.TUNNEL_HOST}" if settings.TUNNEL_HOST else settings.PUBLIC_URL
        self.stdout.write(f"{base}/api/integrations/{options['type'].lower()}/webhook")
