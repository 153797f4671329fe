from __future__ import annotations

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "tallystick.events"

    def ready(self) -> None:
        from tallystick.events import chain
        from tallystick.queue import Queue, register

        register(Queue("journal", chain.unsealed, chain.drain))
