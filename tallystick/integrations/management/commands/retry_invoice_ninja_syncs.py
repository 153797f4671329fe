from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Q

from tallystick.integrations.connections import BadCredentials, Connection
from tallystick.integrations.invoice_ninja import asked, users
from tallystick.integrations.invoice_ninja.commands import NinjaCommand
from tallystick.integrations.invoice_ninja.users import Again
from tallystick.integrations.turns import Turn
from tallystick.integrations.work import serve
from tallystick.ports.records import Kind
from tallystick.queue.leases import owner_name


class Command(NinjaCommand):
    help = "Make the users whose sync to Invoice Ninja failed due now; a worker sends them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user-id", help="this user alone, failed or not")
        parser.add_argument("--dry-run", action="store_true", help="say who would be retried")
        parser.add_argument(
            "--force",
            action="store_true",
            help="also past the maximum of tries; with --user-id also in step",
        )
        parser.add_argument("--now", action="store_true", help="send them here, without a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        connections = asked.connections(None, make=not options["dry_run"])
        if options["user_id"] is not None:
            connections = users.known(options["user_id"], connections)
        troubles: list[str] = []
        for connection in connections:
            try:
                self._retry(Again(connection, options["user_id"], options["force"]), options)
            except BadCredentials as error:
                troubles.append(f"{connection.name}: {error}")
                continue
            if options["now"] and not options["dry_run"]:
                troubles += self._serve(connection)
        if troubles:
            raise CommandError("\n".join(troubles), returncode=1)

    def _retry(self, again: Again, options: dict[str, Any]) -> None:
        if options["dry_run"]:
            self._say(again)
            return
        count = again.revive()
        self.stdout.write(f"{again.connection.name}: {count} due now.")

    def _say(self, again: Again) -> None:
        count = 0
        for account in again.unmarked():
            self.stdout.write(f"would send user {account.user_id} (never marked)")
            count += 1
        for standing in users.standings(again.links()):
            link = standing.link
            words = f"would retry {standing.name} (tries: {link.attempts}"
            self.stdout.write(f"{words}, last error: {link.last_error or 'none'})")
            count += 1
        self.stdout.write(f"{again.connection.name}: {count} would be due now.")

    def _serve(self, connection: Connection) -> list[str]:
        turn = Turn(connection, owner_name())
        if not serve(turn, only=[Kind.CUSTOMER]) and not turn.ended_by:
            self.stdout.write(f"{connection.name}: a worker is at it already; it sends them.")
        links = users.links([connection])
        failed = links.filter(Q(attempted_at__gte=turn.started_at)) if turn.client else links.none()
        troubles = [
            f"{standing.name}: {standing.link.last_error}"
            for standing in users.standings(failed.exclude(last_error=""))
        ]
        return [*troubles, f"{connection.name}: {turn.ended_by}"] if turn.ended_by else troubles
