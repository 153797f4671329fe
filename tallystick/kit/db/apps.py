from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register

from tallystick.kit.db.checks import check_keys
from tallystick.kit.db.keys import keyring


class DatabaseKitConfig(AppConfig):
    name = "tallystick.kit.db"
    label = "tallystick_kit"
    verbose_name = "Tallystick database kit"

    def ready(self) -> None:
        keyring()  # a malformed setting is said at the start, not at the first secret
        register(check_keys, Tags.security, deploy=True)
