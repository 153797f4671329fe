from __future__ import annotations

from django.apps import AppConfig


class QueueConfig(AppConfig):
    name = "tallystick.queue"
