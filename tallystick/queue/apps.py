from __future__ import annotations

from django.apps import AppConfig


class QueueConfig(AppConfig):
    name = "tallystick.queue"

    def ready(self) -> None:
        from tallystick.queue import register_rows
        from tallystick.queue.models import Schedule

        register_rows("schedules", Schedule, Schedule.perform, batch=1)
