"""`manage.py erase_person`: erase a person, but for what the law makes one keep."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tallystick.accounts.personal import NobodyFound, NotSettled, SeveralFound, Whom
from tallystick.billing import retention
from tallystick.integrations import erasure


class Command(BaseCommand):
    help = (
        "Erase a person or an organisation, and say what is kept, why, and until when. "
        "All or nothing, and safe to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "who", nargs="?", help="an e-mail address, or the uid of a user or an account"
        )
        parser.add_argument("--reason", default="", help="kept in the journal: name nobody in it")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument(
            "--keep-open",
            action="store_true",
            help="where money is open, keep what is needed to settle it and erase the rest",
        )
        parser.add_argument(
            "--expired",
            action="store_true",
            help="take erased people off the documents that no duty keeps any more",
        )

    def handle(self, *args: str, **options: Any) -> None:
        if bool(options["who"]) == options["expired"]:
            raise CommandError("Name a person, or say --expired.")
        if options["expired"]:
            self.stdout.write(f"{retention.end_everywhere()} documents no longer name their buyer.")
            return
        try:
            report = erasure.erase(
                Whom.find(options["who"]),
                reason=options["reason"],
                keep_open=options["keep_open"],
                dry_run=options["dry_run"],
            )
        except NotSettled as error:
            hint = "Settle this first, or erase the rest with --keep-open."
            raise CommandError("\n".join([*error.reasons, hint])) from None
        except (NobodyFound, SeveralFound, erasure.BadReason) as error:
            raise CommandError(str(error)) from None
        self.stdout.write("\n".join(report.lines()))
