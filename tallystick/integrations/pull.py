"""Catchup: ask for everything changed since the last time, page by page; finds what webhooks lost."""

from __future__ import annotations

from datetime import timedelta

from tallystick.integrations import incoming
from tallystick.integrations.links import Link
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.pulls import OVERLAP_SECONDS, Pull
from tallystick.integrations.turns import Progress, Turn, TurnOver
from tallystick.kit import clock
from tallystick.ports.errors import ProviderError
from tallystick.ports.records import Kind, RemoteInvoice
from tallystick.ports.roles import Page, PullsInvoices


class Catchup:
    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.connection = turn.connection
        self.progress = Progress(Kind.INVOICE.value)
        self.log: SyncLog

    def run(self) -> None:
        client: object = self.turn.client
        if not isinstance(client, PullsInvoices):
            return
        due = Pull.due().filter(connection=self.connection, data_type=Kind.INVOICE.value)
        for pull in due:
            with self.turn.logged(SyncLog.Direction.PULL, Kind.INVOICE.value) as self.log:
                self._catch_up(pull, client)

    def _catch_up(self, pull: Pull, client: PullsInvoices) -> None:
        while True:
            self.turn.draw()
            page = self._asked(pull, client)
            with self.connection.guard():
                self._take(page)
                self._advance(pull, page)
            self.turn.watcher(self.progress)
            if not page.next:
                return

    def _asked(self, pull: Pull, client: PullsInvoices) -> Page[RemoteInvoice]:
        try:
            page = client.pull_invoices(since=pull.since, cursor=pull.page)
        except ProviderError as error:
            self.log.failed("catch-up", str(error))
            self.turn.report(error)
            raise TurnOver(str(error)) from error
        self.connection.answered()
        return page

    def _take(self, page: Page[RemoteInvoice]) -> None:
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

    def _advance(self, pull: Pull, page: Page[RemoteInvoice]) -> None:
        """Remember how far it came. The provider's times are the measure, not our clock's."""
        pull.reached = max(
            (invoice.updated_at for invoice in page.items), default=pull.reached or pull.since
        )
        pull.page = page.next
        if not page.next:
            if pull.reached:
                overlap = timedelta(seconds=OVERLAP_SECONDS)
                pull.since = max(filter(None, [pull.since, pull.reached - overlap]))
            pull.reached = None
            pull.due_at = clock.now() + timedelta(seconds=pull.every)
        pull.save(update_fields=["since", "reached", "page", "due_at"])
