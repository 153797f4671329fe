from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import CommandError

from tallystick.integrations.connections import BadCredentials, Connection
from tallystick.integrations.invoice_ninja import asked
from tallystick.integrations.invoice_ninja.batch import BAD, Batch, Fate
from tallystick.integrations.invoice_ninja.catalogue import Choice
from tallystick.integrations.invoice_ninja.commands import NinjaCommand
from tallystick.integrations.invoice_ninja.differing import Differences
from tallystick.integrations.sync import ModelSync
from tallystick.kit import json
from tallystick.kit.progress import ProgressBar

COUNT = 10
EXPLAINED = {*BAD, Fate.LEFT_OUT, Fate.WAITING, Fate.CREATED, Fate.UPDATED}
LISTED = 1000
"""Products a JSON document tells of one by one; the sums are of all."""


class Command(NinjaCommand):
    help = (
        "Send products that are new or have changed to Invoice Ninja, now. Safe in cron, twice at "
        "once, and when it is killed. Exit status 1 when any failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--all", action="store_true", help="without a limit")
        which.add_argument("--product-id", help="this product alone, whatever its state")
        parser.add_argument(
            "--count",
            type=asked.at_least_one,
            default=COUNT,
            help=f"at most so many of each model and connection ({COUNT})",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would change, field by field"
        )
        parser.add_argument("--force-update", action="store_true", help="also those in step")
        parser.add_argument("--model", help="products of this model alone (app.Model)")
        parser.add_argument("--connection", type=int, help="the number of one connection")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        models = asked.products(options["model"])
        connections = asked.connections(options["connection"], make=not options["dry_run"])
        if options["product_id"] is not None:
            models = [asked.one_product_model(options["model"])]
            connections = asked.those_of(models[0], options["product_id"], connections)
        run = self._compare if options["dry_run"] else self._send
        reports = [
            run(_choice(told, connection, options), options)
            for connection in connections
            for told in models
        ]
        if options["as_json"]:
            for piece in json.pieces({"dry_run": options["dry_run"], "connections": reports}):
                self.stdout.write(piece, ending="")
            self.stdout.write("")
        if any(report["in_trouble"] for report in reports):
            raise CommandError("Not everything is in step; see above.", returncode=1)

    # -- sending

    def _send(self, choice: Choice, options: dict[str, Any]) -> dict[str, Any]:
        given_up = choice.given_up()
        bar = ProgressBar(choice.total(), self.stderr)
        batch = Batch(choice, bar.move)
        listed: list[dict[str, object]] = []
        for told in batch.run():
            if len(listed) < LISTED and options["as_json"]:
                listed.append(told.row())
            if not options["as_json"] and told.fate in EXPLAINED and told.reason:
                bar.clear()
                self.stdout.write(f"product {told.product_id} ({told.key}): {told.reason}")
        bar.clear()
        if not options["as_json"]:
            self._sum_up(choice, batch, given_up)
        return {
            "connection": choice.connection.name,
            "model": choice.told.label,
            "in_trouble": batch.is_in_trouble,
            "ended_by": batch.cause,
            "counts": {fate.value: batch.counts[fate] for fate in Fate},
            "given_up_before": given_up,
            "products": listed,
            "products_left_off": batch.counts.total() - len(listed),
        }

    def _sum_up(self, choice: Choice, batch: Batch, given_up: int) -> None:
        name = f"{choice.connection.name}, {choice.told.label}"
        words = {
            Fate.AWAITING: "sent and awaiting their callback",
            Fate.RETRY: "to be tried again",
            Fate.LEFT_OUT: "left out",
            Fate.WAITING: "still due",
        }
        always = (Fate.CREATED, Fate.UPDATED, Fate.UNCHANGED, Fate.FAILED)
        shown = [*always, *(fate for fate in words if batch.counts[fate])]
        sums = ", ".join(f"{batch.counts[fate]} {words.get(fate, fate.value)}" for fate in shown)
        self.stdout.write(f"{name}: {sums}.")
        if batch.cause:
            self.stdout.write(f"{name}: {batch.cause}")
        if given_up:
            self.stdout.write(
                f"{name}: {given_up} were given up before; `check_sync_status` says why, "
                "and --product-id or --force-update tries again."
            )

    # -- comparing

    def _compare(self, choice: Choice, options: dict[str, Any]) -> dict[str, Any]:
        counts: Counter[str] = Counter()
        listed: list[dict[str, object]] = []
        is_known = not choice.connection.provider.by_callback
        try:
            differences = Differences(choice, options["count"])
        except BadCredentials as error:
            raise CommandError(f"{choice.connection.name}: {error}", returncode=1) from None
        for difference in differences:
            counts[difference.verb] += 1
            if options["as_json"] and len(listed) < LISTED:
                listed.append(difference.row())
            if not options["as_json"]:
                for line in difference.lines(is_known=is_known):
                    self.stdout.write(line)
        if not options["as_json"]:
            sums = ", ".join(f"{count} {verb}" for verb, count in counts.items()) or "nothing to do"
            name = f"{choice.connection.name}, {choice.told.label}"
            self.stdout.write(f"{name}: {sums}. Nothing was sent.")
        return {
            "connection": choice.connection.name,
            "model": choice.told.label,
            "in_trouble": bool(counts["failed"] or differences.trouble),
            "counts": dict(counts),
            "products": listed,
            "products_left_off": counts.total() - len(listed),
        }


def _choice(told: ModelSync, connection: Connection, options: dict[str, Any]) -> Choice:
    count = None if options["all"] or options["product_id"] else options["count"]
    return Choice(
        told, connection, count, options["product_id"] or "", force=options["force_update"]
    )
