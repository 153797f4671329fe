from __future__ import annotations

from argparse import ArgumentParser
from itertools import islice
from typing import Any

from django.core.management.base import CommandError

from tallystick.integrations.invoice_ninja import asked
from tallystick.integrations.invoice_ninja.commands import NinjaCommand
from tallystick.integrations.invoice_ninja.standing import Catalogue
from tallystick.integrations.invoice_ninja.states import SyncStatus
from tallystick.kit import json

LIMIT = 50


class Command(NinjaCommand):
    help = "The catalogue, with each product's links. Exit status 1 when one needs a person."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--limit", type=asked.at_least_one, default=LIMIT, help=f"at most so many ({LIMIT})"
        )
        parser.add_argument("--all", action="store_true", help="without a limit")
        parser.add_argument("--after", default="", metavar="ID", help="from behind this product on")
        parser.add_argument("--model", help="these products alone (app.Model)")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        models = asked.products(options["model"])
        if options["after"]:
            models = [asked.one_product_model(options["model"])]
            asked.key_of(models[0].model, options["after"])
        self._failed, self._last, self._shown = 0, "", 0
        catalogue = Catalogue(models, options["after"])
        found = catalogue.rows()
        most = None if options["all"] else options["limit"]
        rows = map(self._counted, islice(found, most))
        total = catalogue.total()
        if options["as_json"]:
            document = {"total": total, "products": rows, "last": lambda: self._last}
            for piece in json.pieces(document):
                self.stdout.write(piece, ending="")
            self.stdout.write("")
        else:
            self._tell(rows, total)
            if any(True for _ in found):
                after = f"--after {self._last}, or " if len(models) == 1 else ""
                self.stdout.write(f"More: {after}--all.")
        if self._failed:
            raise CommandError(f"{self._failed} need a person; see above.", returncode=1)

    def _tell(self, rows: Any, total: int) -> None:  # noqa: ANN401
        for row in rows:
            self.stdout.write(_line(row))
            for link in row["links"]:
                there = f" as {link['remote_id']}" if link["remote_id"] else ""
                error = f": {link['last_error']}" if link["last_error"] else ""
                self.stdout.write(f"    {link['connection']}: {link['sync_status']}{there}{error}")
        self.stdout.write(f"{self._shown} of {total} products.")

    def _counted(self, row: dict[str, Any]) -> dict[str, Any]:
        self._failed += "problem" in row
        self._failed += any(link["sync_status"] == SyncStatus.FAILED for link in row["links"])
        self._last, self._shown = row["id"], self._shown + 1
        return row


def _line(row: dict[str, Any]) -> str:
    if "problem" in row:
        return f"{row['id']} {row['name']}: {row['problem']}"
    put_away = "" if row["is_active"] else ", not active"
    return f"{row['id']} {row['code']} {row['name']}: {row['price']:f} {row['currency']}{put_away}"
