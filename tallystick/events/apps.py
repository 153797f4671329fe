from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class EventsConfig(AppConfig):
    name = "tallystick.events"

    def ready(self) -> None:
        from tallystick.events import chain, holdings, personal
        from tallystick.queue import Queue, register

        register(Queue("journal", chain.unsealed, chain.drain))

        holdings.install()

        def forget(**_: Any) -> None:
            personal.forget_keys()

        # A database that was emptied, as tests do, has other keys from then on.
        post_migrate.connect(forget, sender=self, weak=False, dispatch_uid="tallystick.person_keys")
