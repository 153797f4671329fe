from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_save

from tallystick.kit.db import defaults
from tallystick.queue import schedule

defaults.fill(ACCOUNTS_OPEN_ON_SIGNUP=True, API_IDEMPOTENCY_HOURS=24, TUNNEL_HOST="")


class AccountsConfig(AppConfig):
    name = "tallystick.accounts"

    def ready(self) -> None:
        from tallystick.accounts import holdings
        from tallystick.accounts.idempotency import KeptAnswer
        from tallystick.accounts.receivers import open_account
        from tallystick.accounts.tries import Tries

        holdings.install()
        post_save.connect(
            open_account, sender=settings.AUTH_USER_MODEL, dispatch_uid="tallystick.open_account"
        )
        schedule("tries", every=3600, run=Tries.prune)
        schedule("kept_answers", every=3600, run=KeptAnswer.prune)
