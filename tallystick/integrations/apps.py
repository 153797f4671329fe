from __future__ import annotations

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "tallystick.integrations"

    def ready(self) -> None:
        from tallystick.integrations import checks, receivers, translate, work  # noqa: F401

        work.register_queues()
