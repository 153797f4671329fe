"""Queues the reminders that are due, as the worker does every ten minutes; or says which they are."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from tallystick.accounts.models import Website
from tallystick.billing.reminders import STOPS, Round, remind_of


class Command(BaseCommand):
    help = "Queue the reminders of today, each once; what is not owed any more is left out."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say only what would be queued.")
        parser.add_argument("--website", default="", help="The domain or the uid of one website.")

    def handle(self, *args: Any, **options: Any) -> None:
        for website in self._websites(options["website"]):
            done = remind_of(website, dry_run=options["dry_run"])
            self._say(website, done, dry_run=options["dry_run"])

    def _websites(self, asked: str) -> list[Website]:
        websites = Website.objects.exclude(reminder_days="").order_by("pk")
        if not asked:
            return list(websites)
        named = Q(domain=asked)
        if len(bare := asked.replace("-", "")) == 32:  # noqa: PLR2004 - as uids are
            named |= Q(uid=bare)
        found = list(Website.objects.filter(named))
        if not found:
            raise CommandError(f"No website has the domain or uid {asked}.")
        return found

    def _say(self, website: Website, done: Round, *, dry_run: bool) -> None:
        verb = "would be queued" if dry_run else "queued"
        self.stdout.write(f"{website.domain}: {len(done.queued)} {verb}")
        if dry_run:
            for number, stage in done.queued:
                self.stdout.write(f"  {number} {stage}")
        for code, count in sorted(done.stopped.items()):
            self.stdout.write(f"  not of {count}: {STOPS[code]}")
