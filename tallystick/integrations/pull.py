"""Catchup: ask for everything changed since the last time, page by page; finds what webhooks lost."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.db import models

from tallystick.integrations import bringing, incoming, sweeping
from tallystick.integrations.links import Link
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.pulls import OVERLAP_SECONDS, WEBHOOKS, Pull, first_read
from tallystick.integrations.turns import Progress, Turn, TurnOver, Watcher
from tallystick.kit import clock
from tallystick.ports.errors import ProviderError
from tallystick.ports.records import Kind
from tallystick.ports.roles import Page, puller

AnyPage = Page[Any]
Puller = Callable[..., AnyPage]


class NotRead(TurnOver):
    """One catch-up failed; nothing is wrong with the connection as a whole."""


class Catchup:
    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.connection = turn.connection
        self.watcher: Watcher = turn.watcher
        self.progress = Progress("")
        self.log: SyncLog

    def run(self, only: Collection[Kind] = ()) -> None:
        """What is due; with `only`, of these kinds alone."""
        due = Pull.due().filter(connection=self.connection).exclude(data_type=WEBHOOKS)
        if only:
            due = due.filter(data_type__in=[kind.value for kind in only])
        self._run(due)

    def first(self, only: Collection[Kind] = ()) -> None:
        """Read once what may be ours there already, before anything is made there. Where that cannot
        be read, the rest of the turn goes on."""
        kinds = [kind for kind in first_read(self.connection.provider) if not only or kind in only]
        if kinds:
            due = Pull.due().filter(connection=self.connection, completed_at=None)
            # Whoever watches the pushes is not to count what is read for them.
            self.watcher = lambda _: None
            with suppress(NotRead):
                self._run(due.filter(data_type__in=[kind.value for kind in kinds]))

    def _run(self, due: models.QuerySet[Pull]) -> None:
        for pull in due.order_by("due_at", "pk"):
            verb = puller(self.turn.client, Kind(pull.data_type))
            if verb is None:
                pull.postpone()
                continue
            self.progress = Progress(pull.data_type)
            with self.turn.logged(SyncLog.Direction.PULL, pull.data_type) as self.log:
                self._catch_up(pull, verb)

    def _catch_up(self, pull: Pull, verb: Puller) -> None:
        while True:
            self.turn.draw()
            page = self._asked(pull, verb)
            with self.connection.guard():
                self._take(Kind(pull.data_type), page)
                self._advance(pull, page)
            self.watcher(self.progress)
            if not page.next:
                return

    def _asked(self, pull: Pull, verb: Puller) -> AnyPage:
        try:
            page = verb(since=pull.since, cursor=pull.page)
        except ProviderError as error:
            self.log.failed("catch-up", str(error))
            self.turn.report(error)
            raise NotRead(str(error)) from error
        self.connection.answered()
        return page

    def _take(self, kind: Kind, page: AnyPage) -> None:
        if kind is Kind.INVOICE:
            self._take_invoices(page)
        else:
            bringing.take(self.connection, kind, page.items, self.log, self.progress)

    def _take_invoices(self, page: AnyPage) -> None:
        """Apply what is ours and newer than what we know; the rest is not our business."""
        found = {invoice.remote.id: invoice for invoice in page.items}
        links = Link.objects.filter(
            connection=self.connection, kind=Kind.INVOICE.value, remote_id__in=list(found)
        )
        for link in links:
            invoice = found[link.remote_id]
            if invoice.remote.version == link.remote_version:
                self.log.unchanged_records += 1
            elif invoice.payments_complete:
                incoming.take(link, invoice, self.log, self.progress)
            else:
                Link.objects.filter(pk=link.pk).update(
                    update_needed=True, update_marked_at=clock.now()
                )

    def _advance(self, pull: Pull, page: AnyPage) -> None:
        """Remember how far it came. The provider's times are the measure, not our clock's."""
        times = [item.updated_at for item in page.items] + [pull.reached or pull.since]
        pull.reached = max(filter(None, times), default=None)
        pull.page = page.next
        if not page.next:
            if pull.completed_at is None:
                sweeping.hasten()
            pull.completed_at = clock.now()
            if pull.reached:
                overlap = timedelta(seconds=OVERLAP_SECONDS)
                pull.since = max(filter(None, [pull.since, pull.reached - overlap]))
            pull.reached = None
            pull.postpone()
            Link.objects.filter(connection=self.connection, kind=pull.data_type).release()
        pull.save(update_fields=["since", "reached", "page", "completed_at"])
