from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tallystick.integrations.connections import Connection
from tallystick.integrations.importing import (
    CREATE,
    KINDS,
    LINK,
    REVIEW,
    CannotRead,
    Fate,
    Import,
    Terms,
    counted,
)
from tallystick.integrations.invoice_ninja.routes import DIRECT
from tallystick.integrations.turns import Progress
from tallystick.ports.records import Kind

NOT_ALL, UNREAD = 1, 2


class Command(BaseCommand):
    help = (
        "Match the clients and products that Invoice Ninja has with those here. Without --apply it "
        "says what it would do. Exit status: 0 all settled, 1 some wait for a person, 2 it could "
        "not be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--connection", type=int, help="the id of one connection")
        parser.add_argument("--clients", action="store_true", help="clients alone")
        parser.add_argument("--products", action="store_true", help="products alone")
        parser.add_argument("--apply", action="store_true", help="do it: link what is certain")
        parser.add_argument(
            "--by-email", action="store_true", help="link also by an e-mail address that one has"
        )
        parser.add_argument(
            "--create", action="store_true", help="make here what nothing here looks like"
        )
        parser.add_argument(
            "--keep-remote", action="store_true", help="first take over what is there"
        )
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        self.quiet, self.shown = options["as_json"], 0.0
        reports = [self._one(connection, options) for connection in _chosen(options["connection"])]
        if self.quiet:
            self.stdout.write(json.dumps(reports, indent=2))
        if any(report["problem"] for report in reports):
            raise CommandError("Not everything could be read; see above.", returncode=UNREAD)
        if any(report[REVIEW] for report in reports):
            raise CommandError("Some wait in the review list of the admin.", returncode=NOT_ALL)

    def _one(self, connection: Connection, options: dict[str, Any]) -> dict[str, Any]:
        kinds = {Kind.CUSTOMER: options["clients"], Kind.PRODUCT: options["products"]}
        chosen = [kind for kind in KINDS if kinds[kind] or not any(kinds.values())]
        terms = Terms(options["by_email"], options["create"], options["keep_remote"])
        work = Import(connection, chosen, terms, self._watch)
        counts, problem = dict.fromkeys((LINK, CREATE, REVIEW), 0), ""
        try:
            work.read()
            counts = counted(work.plan(), lambda fate: self._say(fate, options["apply"]))
            if options["apply"]:
                work.carry_out()
                counts[REVIEW] = counted(work.plan(), lambda _: None)[REVIEW]
        except CannotRead as error:
            problem = str(error)
        self._tell(connection, counts, problem, is_done=options["apply"])
        return {"connection": connection.pk, "problem": problem, **counts}

    def _say(self, fate: Fate, is_done: bool) -> None:
        would = "" if is_done or fate.what == REVIEW else "would "
        self._write(f"{would}{fate}")

    def _tell(
        self, connection: Connection, counts: dict[str, int], problem: str, *, is_done: bool
    ) -> None:
        if problem:
            self.stderr.write(f"{connection}: {problem}")
        words = ", ".join(f"{count} {what}" for what, count in counts.items())
        dry = "" if is_done else " Nothing was changed; --apply does it."
        self._write(f"{connection}: {words}.{dry}")

    def _watch(self, progress: Progress) -> None:
        """One line a second at the most."""
        if time.monotonic() - self.shown >= 1:
            self.shown = time.monotonic()
            self._write(f"{progress.kind}: {progress.done} so far")

    def _write(self, words: str) -> None:
        if not self.quiet:
            self.stdout.write(words)


def _chosen(number: int | None) -> list[Connection]:
    found = Connection.objects.everywhere().filter(type=DIRECT, is_active=True).order_by("pk")
    if number is not None:
        found = found.filter(pk=number)
    if not found:
        raise CommandError(
            "No active connection to Invoice Ninja fits. Make one in the admin, or set "
            "INVOICE_NINJA_API_URL and INVOICE_NINJA_API_TOKEN.",
            returncode=UNREAD,
        )
    return list(found)
