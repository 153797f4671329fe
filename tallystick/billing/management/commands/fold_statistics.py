from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from tallystick.billing import statistic_recounts, statistic_rows
from tallystick.billing.management.commands.doctor import chosen


class Command(BaseCommand):
    help = "Fold what the worker has not folded into the statistics yet; or recount them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rebuild", action="store_true", help="recount all documents")
        parser.add_argument("--website", metavar="DOMAIN", help="recount this website alone")

    def handle(self, *, rebuild: bool, website: str | None, **_: object) -> None:
        folded = 0
        while count := statistic_rows.fold():
            folded += count
        self.stdout.write(f"{folded} changes folded")
        if rebuild:
            for each in chosen(website):
                changed = statistic_recounts.rebuild(each)
                self.stdout.write(f"{each.domain}: {changed or 'no'} rows put right")
