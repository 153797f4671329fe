from __future__ import annotations

from django.apps import AppConfig

from tallystick.kit.db import rotation


class WebConfig(AppConfig):
    name = "tallystick.web"

    def ready(self) -> None:
        from tallystick.web import personal
        from tallystick.web.second_factor import renew_seals

        personal.install()
        rotation.ELSEWHERE["mfa.Authenticator"] = renew_seals
