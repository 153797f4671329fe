from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError

from tallystick.integrations.invoice_ninja import asked, standing, users
from tallystick.integrations.invoice_ninja.commands import NinjaCommand
from tallystick.integrations.invoice_ninja.states import SyncStatus, is_in
from tallystick.kit import json
from tallystick.ports.records import Kind

LIMIT = 50


class Command(NinjaCommand):
    help = (
        "How products stand at Invoice Ninja: totals, and local id <-> remote id of each, what "
        "needs a person first. Exit status 1 when something does."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        kinds = [Kind.PRODUCT.value, Kind.CUSTOMER.value]
        parser.add_argument("--kind", choices=kinds, default=Kind.PRODUCT.value)
        parser.add_argument("--status", choices=SyncStatus.values, help="list these alone")
        parser.add_argument(
            "--limit", type=asked.at_least_one, default=LIMIT, help=f"at most so many ({LIMIT})"
        )
        parser.add_argument("--all", action="store_true", help="without a limit")
        parser.add_argument("--connection", type=int, help="the number of one connection")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        connections = asked.connections(options["connection"])
        found = users.links(connections, Kind(options["kind"]))
        totals, left_out = users.totals(found), users.left_out(found)
        listed = found.filter(is_in(options["status"])) if options["status"] else found
        shown = standing.rows(listed, None if options["all"] else options["limit"])
        if options["as_json"]:
            head = {"kind": options["kind"], "totals": totals, "left_out": left_out}
            for piece in json.pieces({**head, "links": shown}):
                self.stdout.write(piece, ending="")
            self.stdout.write("")
        else:
            self._tell(totals | ({"left out": left_out} if left_out else {}), shown)
        closed = [one.name for one in connections if one.needs_reconnect]
        if totals[SyncStatus.FAILED] or closed:
            raise CommandError(_trouble(totals[SyncStatus.FAILED], closed), returncode=1)

    def _tell(self, totals: dict[str, int], rows: Iterator[dict[str, Any]]) -> None:
        self.stdout.write(", ".join(f"{count} {status}" for status, count in totals.items()))
        shown = 0
        for row in rows:
            self.stdout.write(_line(row))
            shown += 1
        if (total := sum(totals.values())) > shown:
            self.stdout.write(f"{shown} of {total}; --all lists every one.")


def _line(row: dict[str, Any]) -> str:
    tried = row["last_sync_attempt"]
    here = f"{row['local_id']} {row['name']}".rstrip()
    if row["sync_status"] == "left_out":
        return f"left out: {here} ({row['connection']}), {row['last_error']}"
    there = f"({row['connection']}) <-> {row['remote_id'] or '-'}"
    words = f"{row['sync_status']}: {here} {there}"
    words += f", last try {tried:%Y-%m-%d %H:%M:%S} UTC" if tried else ", not tried yet"
    words += ", sent and awaiting its callback" if row["awaits_callback"] else ""
    return f"{words}, {row['last_error']}" if row["last_error"] else words


def _trouble(failed: int, closed: list[str]) -> str:
    words = [f"{failed} failed and need a person."] if failed else []
    return " ".join([*words, *(f"{name} must be reconnected in the admin." for name in closed)])
