from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tallystick.integrations import pulls, registry
from tallystick.integrations.connections import Connection
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.pulls import WEBHOOKS, Pull
from tallystick.integrations.subscribing import Subscribing, address_of, hindrance
from tallystick.integrations.turns import Turn
from tallystick.kit import clock
from tallystick.ports.roles import Subscribes
from tallystick.queue.leases import owner_name


class Command(BaseCommand):
    help = (
        "Print the address to paste at the provider, for its webhooks; where they are ordered by a "
        "call, order what is missing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "type", type=str.upper, choices=[kind for kind, _ in registry.choices()]
        )

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        provider = registry.provider_class(options["type"])
        if not issubclass(provider, Subscribes):
            self.stdout.write(address_of(Connection(type=provider.type)))
            return
        connections = Connection.objects.everywhere().filter(type=provider.type, is_active=True)
        problems = [self._order(connection) for connection in connections.order_by("pk")]
        if not problems:
            raise CommandError(f"There is no active connection to {provider.name} yet.")
        if found := [problem for problem in problems if problem]:
            raise CommandError(" ".join(found))

    def _order(self, connection: Connection) -> str:
        """What is in the way; empty when the webhooks are ordered."""
        self.stdout.write(address_of(connection))
        if why := hindrance(connection):
            return f"{connection}: {why}"
        pulls.ensure(connection)
        due = Pull.objects.filter(connection=connection, data_type=WEBHOOKS)
        due.update(due_at=clock.now())
        turn = Turn(connection, owner_name())
        with turn.held() as client:
            if client is None:
                return turn.ended_by or f"{connection}: a worker is at it, and does the same."
            Subscribing(turn).run()
        log = SyncLog.objects.filter(connection=connection, sync_type=WEBHOOKS).order_by("-id")[0]
        self.stdout.write(f"{connection}: {log.synced_records} ordered, the others were there.")
        return "; ".join(log.errors)
