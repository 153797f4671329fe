from __future__ import annotations

from django.apps import AppConfig

from tallystick.kit.db import defaults

defaults.fill(CELERY_BROKER_URL="", WORKER_POLL_SECONDS=0.5)


class QueueConfig(AppConfig):
    name = "tallystick.queue"

    def ready(self) -> None:
        from tallystick.queue import register_rows
        from tallystick.queue.models import Schedule

        register_rows("schedules", Schedule, Schedule.perform, batch=1)
