"""Subscribing: webhooks that are ordered by a call are seen to every day, and after each change of
the settings: a provider may have cancelled them, or they lead to an address that is no longer ours."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings

from tallystick.integrations.connections import Connection
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.pulls import WEBHOOKS, Pull
from tallystick.integrations.turns import LEASE_SECONDS, Turn
from tallystick.ports.errors import ProviderError, Refused, Unauthorized
from tallystick.ports.exchange import secure_url
from tallystick.ports.roles import Subscribes

AGAIN = timedelta(minutes=15)
"""After which it is tried again, where no answer came, or nothing could be ordered."""


def address_of(connection: Connection) -> str:
    """Where the provider of `connection` finds us, without a slash at the end."""
    base = f"https://{settings.TUNNEL_HOST}" if settings.TUNNEL_HOST else settings.PUBLIC_URL
    path = f"/api/integrations/{connection.type.lower()}/webhook"
    own = f"/{connection.pk}" if issubclass(connection.provider, Subscribes) else ""
    return f"{base.rstrip('/')}{path}{own}"


def hindrance(connection: Connection) -> str:
    """Why no webhooks can be ordered for `connection`; empty when they can."""
    if not issubclass(connection.provider, Subscribes):
        return f"{connection.provider.name} has a page of its own for webhooks."
    if not {**connection.custom_data, **connection.credentials}.get("webhook_secret"):
        return "Its webhook secret is not set."
    try:
        secure_url(address_of(connection))
    except ValueError as error:
        return f"The address of this site, {urlsplit(address_of(connection)).netloc}, {error}."
    return ""


class Subscribing:
    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.connection = turn.connection

    def run(self) -> None:
        due = Pull.due().filter(connection=self.connection, data_type=WEBHOOKS)
        for pull in due:
            client: object = self.turn.client
            is_done = False
            if isinstance(client, Subscribes) and not hindrance(self.connection):
                with self.turn.logged(SyncLog.Direction.PULL, WEBHOOKS) as log:
                    is_done = self._order(client.subscribe, log)
            pull.postpone(None if is_done else AGAIN)

    def _order(self, subscribe: Callable[[str], int], log: SyncLog) -> bool:
        """Whether there was an answer that counts for a day."""
        self.turn.draw()
        try:
            log.synced_records += self._under_lease(subscribe)
        except ProviderError as error:
            log.failed(WEBHOOKS, str(error))
            if isinstance(error, Refused) and not isinstance(error, Unauthorized):
                self.connection.tell(f"Its webhooks could not be ordered: {error}")
                return True
            self.turn.report(error)
            return False
        self.connection.answered()
        self.connection.tell("")
        return True

    def _under_lease(self, subscribe: Callable[[str], int]) -> int:
        """An order is a call for each event, longer altogether than the lease holds by itself."""
        with ThreadPoolExecutor(1, "subscribe") as pool:
            ordered = pool.submit(subscribe, address_of(self.connection))
            while not ordered.done():
                wait([ordered], timeout=LEASE_SECONDS / 3)
                self.turn.beat()
            return ordered.result()
