from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tallystick.integrations.connections import Connection
from tallystick.integrations.invoice_ninja.asked import at_least_one
from tallystick.integrations.links import Link
from tallystick.integrations.stale import StaleFetch
from tallystick.integrations.turns import Turn
from tallystick.queue.leases import owner_name


class Command(BaseCommand):
    help = "Fetch the invoices that webhooks said have changed. Safe in cron."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", type=at_least_one, default=30, help="invoices a run (30)")
        parser.add_argument("--all", action="store_true", help="no limit")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        stale = Link.objects.filter(update_needed=True, connection__is_active=True)
        ids = stale.values_list("connection_id", flat=True).distinct()
        left = None if options["all"] else options["limit"]
        troubles: list[str] = []
        for connection in Connection.objects.everywhere().filter(pk__in=list(ids)):
            if left == 0:
                break
            fetched = self._fetch(connection, left, troubles)
            left = None if left is None else left - fetched
        self.stdout.write(f"{stale.count()} invoices still to fetch.")
        if troubles:
            raise CommandError("; ".join(troubles))

    def _fetch(self, connection: Connection, most: int | None, troubles: list[str]) -> int:
        turn = Turn(connection, owner_name())
        with turn.held() as client:
            if client is None:
                busy = "a worker is at it already, and does the same"
                self.stdout.write(f"{connection.name}: {turn.ended_by or busy}")
                return 0
            fetch = StaleFetch(turn)
            fetch.run(most=most)
        self.stdout.write(
            f"{connection.name}: {fetch.progress.done} fetched, {fetch.progress.failed} to look at"
        )
        if turn.ended_by:
            troubles.append(f"{connection.name}: {turn.ended_by}")
        return fetch.progress.done + fetch.progress.failed
