from __future__ import annotations

from django.apps import AppConfig
from django.contrib.auth import get_user_model


class IntegrationsConfig(AppConfig):
    name = "tallystick.integrations"

    def ready(self) -> None:
        from tallystick.integrations import checks, edits, personal, receivers, translate, work  # noqa: F401
        from tallystick.integrations.invoice_ninja import attributes, log

        edits.listen()
        attributes.attach(get_user_model())
        log.install()
        personal.install()
        work.register_queues()
