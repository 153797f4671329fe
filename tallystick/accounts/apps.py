from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_save

from tallystick.queue import schedule


class AccountsConfig(AppConfig):
    name = "tallystick.accounts"

    def ready(self) -> None:
        from tallystick.accounts.receivers import open_account
        from tallystick.accounts.tries import Tries

        post_save.connect(
            open_account, sender=settings.AUTH_USER_MODEL, dispatch_uid="tallystick.open_account"
        )
        schedule("tries", every=3600, run=Tries.prune)
