from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from collections.abc import Callable
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError, OutputWrapper

from tallystick.accounts.receivers import open_missing
from tallystick.integrations import registry, sweeping, sync
from tallystick.integrations.connections import BadCredentials, Connection
from tallystick.integrations.links import Link
from tallystick.integrations.outgoing import prepare
from tallystick.integrations.retrying import retry
from tallystick.integrations.turns import Progress, Turn
from tallystick.integrations.work import serve
from tallystick.kit import clock
from tallystick.ports.records import PUSH_ORDER, Kind
from tallystick.queue.leases import owner_name
from tallystick.queue.rows import State

CHUNK = 1000
WRONG = 2
"""The exit status when it was asked for what cannot be."""
PLANNED = ("create", "update", "archive", "unchanged", "waiting", "failed")
CHANGING = ("all", "missing", "retry", "force")
"""What these do is done before anything is sent."""


class Command(BaseCommand):
    help = "Send what is due to the connected systems, and bring back what changed there, now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        types = [kind for kind, _ in registry.choices()]
        kinds = [kind.value for kind in Kind]
        parser.add_argument(
            "type", nargs="?", type=str.upper, choices=types, help="all if left out"
        )
        parser.add_argument("--connection", type=int, help="the id of one connection")
        parser.add_argument("--only", choices=kinds, action="append", help="push these alone")
        parser.add_argument(
            "--all", action="store_true", help="first mark everything that is to exist there"
        )
        parser.add_argument(
            "--missing",
            action="store_true",
            help="first mark the customers and products that were never marked, as every hour",
        )
        parser.add_argument(
            "--force", action="store_true", help="send also what is in step or was given up"
        )
        parser.add_argument("--retry", action="store_true", help="send also what was given up")
        parser.add_argument("--dry-run", action="store_true", help="say what would be sent")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        if options["dry_run"] and (named := [name for name in CHANGING if options[name]]):
            words = f"--dry-run says what is due as it is; leave out --{' and --'.join(named)}."
            raise CommandError(words, returncode=WRONG)
        connections = self._chosen(options)
        kinds = [Kind(word) for word in options["only"] or []]
        one = self._plan if options["dry_run"] else self._one
        reports = [one(connection, kinds, options) for connection in connections]
        if options["as_json"]:
            self.stdout.write(json.dumps(reports, indent=2))
        if any(report["failed"] or report["problem"] for report in reports):
            raise CommandError("Not everything is in step; see above.", returncode=1)

    def _chosen(self, options: dict[str, Any]) -> list[Connection]:
        found = Connection.objects.everywhere().filter(is_active=True)
        if options["type"]:
            found = found.filter(type=options["type"])
        if options["connection"]:
            found = found.filter(pk=options["connection"])
        if not found:
            raise CommandError(_nothing_fits(options["type"]), returncode=WRONG)
        return list(found)

    def _one(
        self, connection: Connection, kinds: list[Kind], options: dict[str, Any]
    ) -> dict[str, Any]:
        if options["all"]:
            self._mark_all(connection, kinds)
        elif options["missing"]:
            open_missing()
            sweeping.mark_missing(connection, kinds or sweeping.SWEPT)
        links = Link.objects.filter(connection=connection, kind__in=kinds or list(Kind))
        if options["force"] or options["retry"]:
            retry(links, force=options["force"])
        return self._run(connection, kinds, quiet=options["as_json"])

    def _mark_all(self, connection: Connection, kinds: list[Kind]) -> None:
        for told in sync.registered():
            if kinds and told.kind not in kinds:
                continue
            path = {told.website_path: connection.website_id}
            objects = told.model._base_manager.filter(**path).iterator(chunk_size=CHUNK)
            while chunk := list(islice(objects, CHUNK)):
                sync.mark_due(chunk, [connection])

    def _plan(
        self, connection: Connection, kinds: list[Kind], options: dict[str, Any]
    ) -> dict[str, Any]:
        say = _mute if options["as_json"] else self.stdout.write
        counts = dict.fromkeys(PLANNED, 0)
        problem = ""
        try:
            self._count(connection, kinds, counts, say)
        except BadCredentials as error:
            problem = f"Reconnect: {error}"
            say(f"{connection.name}: {problem}")
        say(", ".join(f"{count} {word}" for word, count in counts.items()))
        return {"connection": connection.pk, "problem": problem, **counts}

    def _count(
        self,
        connection: Connection,
        kinds: list[Kind],
        counts: dict[str, int],
        say: Callable[[str], object],
    ) -> None:
        for kind in kinds or PUSH_ORDER:
            due = Link.objects.due().filter(connection=connection, kind=kind.value).order_by("id")
            last = 0
            while page := list(due.filter(pk__gt=last)[:500]):
                last = page[-1].pk
                prepared = prepare(connection, page, clock.now(), write=False)
                for item in prepared.items:
                    verb = item.verb
                    counts[verb] += 1
                    say(f"would {verb} {kind.value} {item.link.key}")
                for result in prepared.settled:
                    words = {State.DONE: "unchanged", State.DEAD: "failed"}
                    counts[words.get(result.state, "waiting")] += 1

    def _run(self, connection: Connection, kinds: list[Kind], *, quiet: bool) -> dict[str, Any]:
        watch = _Watch(None if quiet else self.stdout, connection.name)
        while True:
            before = watch.total
            turn = Turn(connection, owner_name(), watcher=watch)
            if not serve(turn, only=kinds):
                busy = "A worker is at it already; it does the same."
                watch.say(turn.ended_by or busy)
                return watch.report(connection, turn.ended_by)
            connection.refresh_from_db()
            left = Link.objects.due().filter(connection=connection)
            if kinds:
                left = left.filter(kind__in=kinds)
            if turn.ended_by or not left.exists() or watch.total == before:
                break
        problem = turn.ended_by or (connection.sync_error if connection.needs_reconnect else "")
        watch.say(problem or "Everything that was due has been dealt with.")
        return watch.report(connection, problem)


def _nothing_fits(provider_type: str | None) -> str:
    """How to make a connection of that type, or of any."""
    names = [
        f"{provider.environment[0] or provider.type}_{provider.environment[1].upper()}"
        for provider in registry.PROVIDERS
        if provider_type in {None, provider.type}
    ]
    return f"No active connection fits. Make one in the admin, or set {' or '.join(names)}."


def _mute(words: str) -> None:
    del words


class _Watch:
    """Adds up what the runs of a turn report, and shows it: one line a second at the most."""

    def __init__(self, out: OutputWrapper | None, name: str) -> None:
        self._out, self._name = out, name
        self._runs: dict[int, Progress] = {}
        self._shown = 0.0

    def __call__(self, progress: Progress) -> None:
        self._runs[id(progress)] = progress
        if time.monotonic() - self._shown >= 1:
            self._shown = time.monotonic()
            self.say(f"{progress.kind}: {self._sum('done')} synced, {self._sum('failed')} failed")

    @property
    def total(self) -> int:
        return self._sum("done") + self._sum("unchanged") + self._sum("failed")

    def say(self, words: str) -> None:
        if self._out:
            self._out.write(f"{self._name}: {words}")

    def report(self, connection: Connection, problem: str) -> dict[str, Any]:
        counts = {name: self._sum(name) for name in ("done", "unchanged", "failed")}
        self.say(", ".join(f"{count} {name}" for name, count in counts.items()))
        return {"connection": connection.pk, "problem": problem, **counts}

    def _sum(self, name: str) -> int:
        return sum(getattr(progress, name) for progress in self._runs.values())
