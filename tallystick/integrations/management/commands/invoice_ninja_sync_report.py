from __future__ import annotations

import csv
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from tallystick.integrations.connections import Connection
from tallystick.integrations.invoice_ninja import asked, users
from tallystick.integrations.invoice_ninja.commands import NinjaCommand
from tallystick.integrations.invoice_ninja.people import of_users
from tallystick.integrations.invoice_ninja.states import SyncStatus, is_in
from tallystick.integrations.links import LinkQuerySet
from tallystick.kit import json
from tallystick.kit.files import make_private
from tallystick.kit.spreadsheets import cell

COLUMNS = (
    *("user_id", "account", "username", "email", "connection", "invoice_ninja_client_id"),
    *("sync_status", "sync_attempts", "last_sync_attempt", "last_error"),
)


class Command(NinjaCommand):
    help = "How users stand at Invoice Ninja. Exit status 1 when some need a person."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--status", choices=SyncStatus.values, help="tell of these alone")
        parser.add_argument(
            "--include-details", action="store_true", help="a line for each, with names and errors"
        )
        parser.add_argument("--export-csv", metavar="FILE", type=Path, help="the same as a file")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        connections = asked.connections(None)
        found, people = users.links(connections), of_users(connections)
        totals = users.totals(people)
        others = users.totals(found.exclude(pk__in=people.values("pk")))
        head = {
            "connections": [_state(connection) for connection in connections],
            "totals": totals,
            "others": others,
            "left_out": users.left_out(found),
            "never_marked": users.unsent(connections),
            "without_account": users.without_account(),
        }
        if options["status"]:
            found = found.filter(is_in(options["status"]))
        self._tell(head, found, options)
        if options["export_csv"]:
            self._export(options["export_csv"], found)
        failed = totals[SyncStatus.FAILED] + others[SyncStatus.FAILED]
        if failed or any(one.needs_reconnect for one in connections):
            raise CommandError("Some need a person; see above.", returncode=1)

    def _tell(self, head: dict[str, Any], found: LinkQuerySet, options: dict[str, Any]) -> None:
        if options["as_json"]:
            rows = {"users": _rows(found)} if options["include_details"] else {}
            for piece in json.pieces({**head, **rows}):
                self.stdout.write(piece, ending="")
            self.stdout.write("")
            return
        for connection in head["connections"]:
            problem = f": {connection['problem']}" if connection["problem"] else ""
            self.stdout.write(f"{connection['name']} ({connection['type']}){problem}")
        for status, count in head["totals"].items():
            if options["status"] in {None, status}:
                self.stdout.write(f"  {status}: {count}")
        others = ", ".join(f"{count} {word}" for word, count in head["others"].items() if count)
        if others:
            self.stdout.write(f"  of organisations, and of who has moved: {others}")
        self.stdout.write(f"  left out: {head['left_out']}")
        self.stdout.write(f"  never marked to be sent: {head['never_marked']}")
        self.stdout.write(f"  without an account: {head['without_account']}")
        for row in _rows(found) if options["include_details"] else ():
            self.stdout.write(_line(row))

    def _export(self, path: Path, found: LinkQuerySet) -> None:
        try:
            make_private(path)
            with path.open("w", newline="", encoding="utf-8-sig") as file:
                writer = csv.writer(file)
                writer.writerow(COLUMNS)
                for row in _rows(found):
                    writer.writerow([cell(row[name]) for name in COLUMNS])
        except OSError as error:
            words = f"{path} cannot be written: {error.strerror}. Name another with --export-csv."
            raise CommandError(words, returncode=asked.WRONG) from None


def _rows(found: LinkQuerySet) -> Iterator[dict[str, object]]:
    return (standing.row() for standing in users.standings(found))


def _state(connection: Connection) -> dict[str, object]:
    return {
        "name": connection.name,
        "type": connection.type,
        "website": connection.website.name,
        "problem": connection.may_be_called(),
    }


def _line(row: dict[str, object]) -> str:
    who = f"user {row['user_id']} {row['username']} <{row['email']}>"
    if row["user_id"] is None:
        who = f"account {row['account']} (an organisation's)"
    there = row["invoice_ninja_client_id"] or "-"
    if row["sync_status"] == "left_out":
        return f"{who}: left out, {row['last_error']}"
    said = f"{who}: {row['sync_status']}, client {there}, tries: {row['sync_attempts']}"
    tried = row["last_sync_attempt"]
    said += f", last {tried:%Y-%m-%d %H:%M:%S} UTC" if tried else ""
    return f"{said}, {row['last_error']}" if row["last_error"] else said
