"""StaleFetch: read what webhooks said has changed, many ids a call, and apply it once."""

from __future__ import annotations

from collections.abc import Sequence

from tallystick.integrations import incoming
from tallystick.integrations.links import Link, LinkQuerySet
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.turns import Progress, Turn, TurnOver
from tallystick.ports.errors import ProviderError
from tallystick.ports.records import Kind, RemoteInvoice
from tallystick.ports.roles import FetchesInvoices


class StaleFetch:
    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.connection = turn.connection
        self.progress = Progress(Kind.INVOICE.value)
        self.log: SyncLog

    def run(self, *, most: int | None = None) -> None:
        """Fetch all links marked `update_needed`, or the `most` longest marked."""
        client: object = self.turn.client
        if not isinstance(client, FetchesInvoices) or not self._stale().exists():
            return
        left = self._stale().count() if most is None else most
        size = self.connection.provider.fetch_size
        with self.turn.logged(SyncLog.Direction.PULL, Kind.INVOICE.value) as self.log:
            while left > 0 and (page := self._page(min(left, size))):
                left -= len(page)
                self.turn.draw()
                self._take(page, self._fetched(client, [link.remote_id for link in page]))

    def _stale(self) -> LinkQuerySet:
        return Link.objects.stale().filter(connection=self.connection)

    def _page(self, size: int) -> list[Link]:
        return list(self._stale().order_by("update_marked_at", "id")[:size])

    def _fetched(self, client: FetchesInvoices, ids: Sequence[str]) -> list[RemoteInvoice]:
        try:
            found = client.fetch_invoices(ids)
        except ProviderError as error:
            self.log.failed("fetch", str(error))
            self.turn.report(error)
            raise TurnOver(str(error)) from error
        self.connection.answered()
        return found

    def _take(self, links: Sequence[Link], found: Sequence[RemoteInvoice]) -> None:
        by_id = {invoice.remote.id: invoice for invoice in found}
        for link in links:
            with self.connection.guard():
                incoming.take(link, by_id.get(link.remote_id), self.log, self.progress)
                # Marked again meanwhile: what was fetched may be the state before that.
                Link.objects.filter(pk=link.pk, update_marked_at=link.update_marked_at).update(
                    update_needed=False
                )
        self.turn.watcher(self.progress)
