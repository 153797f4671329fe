"""`manage.py rotate_keys`: seal every encrypted value with the newest of FIELD_KEYS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import models

from tallystick.kit.db.keys import keyring
from tallystick.kit.db.rotation import ELSEWHERE, Tally, renew, sealed_models

_PASSES = 5
"""A row that somebody else wrote meanwhile is looked at again, so many times."""


class Command(BaseCommand):
    help = (
        "Seal every encrypted value with the newest of FIELD_KEYS. First put the new key in front "
        "and restart every process, then run this, then take the old key away. "
        "Safe while the site runs, and safe to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument("--batch-size", type=int, default=500)

    def handle(self, *args: str, **options: Any) -> None:
        self.stdout.write(f"The newest key is {keyring().newest.id}.")
        complaints: list[str] = []
        write = not options["dry_run"]
        for model in sealed_models():
            tally = self._model(model, options["batch_size"], write=write)
            complaints += _complaints(model._meta.label, tally)
        for label, renewal in ELSEWHERE.items():
            tally = renewal(write)
            self._tell(label, tally, write=write)
            complaints += _complaints(label, tally)
        if complaints:
            raise CommandError("\n".join(["Keep the old keys.", *complaints]))
        if not options["dry_run"]:
            self.stdout.write("Every value is sealed with the newest key.")

    def _model(self, model: type[models.Model], batch_size: int, *, write: bool) -> Tally:
        tally = Tally()
        for _ in range(_PASSES):
            for tally in renew(model, batch_size=batch_size, write=write):
                self._tell(model._meta.label, tally, write=write)
            if not tally.overtaken:
                break
        return tally

    def _tell(self, label: str, tally: Tally, *, write: bool) -> None:
        verb = "renewed" if write else "to renew"
        self.stdout.write(f"{label}: {tally.seen} rows read, {tally.renewed} {verb}")


def _complaints(label: str, tally: Tally) -> Iterator[str]:
    if tally.unreadable:
        yield (
            f"{label}: {tally.unreadable} rows cannot be read, the first because: {tally.complaint}"
        )
    if tally.overtaken:
        yield (
            f"{label}: {tally.overtaken} rows keep being written with an old "
            "key; restart what still runs with the old FIELD_KEYS and repeat."
        )
