"""`manage.py create_website`: the first thing a new site needs."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from tallystick.accounts.websites import Website


class Command(BaseCommand):
    help = "Create a website (a brand that issues invoices). The first one becomes the default."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True)
        parser.add_argument("--domain", required=True, help="the host of its payment links")
        parser.add_argument("--currency", default="EUR", help="ISO 4217, such as EUR")
        parser.add_argument("--country", default="", help="ISO 3166-1 alpha-2, such as DE")
        parser.add_argument("--language", default="en")
        parser.add_argument("--time-zone", default="UTC", help="such as Europe/Berlin")
        parser.add_argument("--default", action="store_true", help="new people belong to it")

    def handle(self, *args: str, **options: Any) -> None:
        fields = ("name", "domain", "currency", "country", "language", "time_zone")
        website = Website(**{field: options[field] for field in fields})
        try:
            website.full_clean()
        except ValidationError as error:
            raise CommandError(_one_line(error)) from None
        with transaction.atomic():
            website.save()
            if options["default"] or Website.objects.default() is None:
                website.make_default()
        note = " It is the default one." if website.is_default else ""
        self.stdout.write(f"Created website {website.name} ({website.domain}).{note}")


def _one_line(error: ValidationError) -> str:
    return "; ".join(f"{field}: {' '.join(said)}" for field, said in error.message_dict.items())
