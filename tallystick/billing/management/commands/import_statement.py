"""`manage.py import_statement`: bring in what a bank gave out, as from a folder it delivers to."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from tallystick.accounts.websites import Website
from tallystick.billing.banking.errors import OtherAccount, StatementError, UnknownColumns
from tallystick.billing.banking.importing import import_statement
from tallystick.billing.banking.readings import MOST_BYTES
from tallystick.billing.banking.statements import BankStatement
from tallystick.billing.banking.transactions import UNDECIDED

_REFUSED, _TO_ASK = 1, 2


class Command(BaseCommand):
    help = (
        "Import a bank statement (CAMT.053 or CSV) and match its lines. Ends with 0 when it is in, 1 "
        "when the file cannot be read, 2 when somebody must be asked first: whose account it is, or "
        "which column is which. The same file or line a second time changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--website", required=True, help="its domain or uid")
        parser.add_argument(
            "--other-account",
            action="store_true",
            help="the account is ours, though not the website's",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be, keep nothing"
        )
        parser.add_argument("--json", action="store_true", help="the outcome as one line of JSON")

    def handle(self, *args: str, **options: Any) -> None:
        website = _website(options["website"])
        data = _bytes(options["file"])
        try:
            # Each line is booked by itself, but for a trial, of which nothing stays.
            with transaction.atomic() if options["dry_run"] else nullcontext():
                statement = import_statement(
                    website,
                    data,
                    name=options["file"].name,
                    other_account=options["other_account"],
                    tell=lambda what, done, total: self._tell(options, what, done, total),
                )
                outcome = _outcome(statement)
                if options["dry_run"]:
                    transaction.set_rollback(True)
        except (OtherAccount, UnknownColumns) as problem:
            raise CommandError(f"{problem} {_way_out(problem)}", returncode=_TO_ASK) from None
        except StatementError as problem:
            raise CommandError(str(problem), returncode=_REFUSED) from None
        self._report(options, outcome)

    def _tell(self, options: dict[str, Any], what: str, done: int, total: int) -> None:
        if options["verbosity"] and not options["json"]:
            self.stderr.write(f"{done} of {total} {what}")

    def _report(self, options: dict[str, Any], outcome: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(outcome | {"dry_run": options["dry_run"]}))
            return
        note = "Nothing is kept (--dry-run). " if options["dry_run"] else ""
        self.stdout.write(
            f"{note}{outcome['new']} new lines, {outcome['known']} known before, "
            f"{outcome['booked']} booked, {outcome['undecided']} to decide; "
            f"balances: {outcome['balances']}."
        )


def _outcome(statement: BankStatement) -> dict[str, Any]:
    counts = statement.counts
    return {
        "statement": statement.uid.hex,
        "format": statement.format,
        "account": statement.account,
        "new": statement.lines_new,
        "known": statement.lines_known,
        "pending": statement.lines_pending,
        "booked": counts.get("matched", 0) + counts.get("accepted", 0),
        "undecided": sum(counts.get(state, 0) for state in UNDECIDED),
        "balances": statement.balance,
    }


def _way_out(problem: Exception) -> str:
    if isinstance(problem, OtherAccount):
        return "Here: --other-account."
    return "Import one such file on the page /staff/bank/import/ first: it asks, and remembers."


def _website(name: str) -> Website:
    try:
        found = Website.objects.filter(uid=UUID(name)).first()
    except ValueError:
        found = Website.objects.filter(domain=name).first()
    if found is None:
        raise CommandError(f"There is no website {name!r}: give its domain or uid.")
    return found


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
