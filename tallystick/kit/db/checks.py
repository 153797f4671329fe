"""What `manage.py check --deploy` says about the keys."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error

from tallystick.kit.db.keys import keyring


def check_keys(app_configs: object, **kwargs: Any) -> list[CheckMessage]:
    if keyring().newest.is_blank:
        hint = "Put a random one in front and run manage.py rotate_keys."
        return [
            Error("FIELD_KEYS: the newest key is the development one.", hint, id="tallystick.E003")
        ]
    return []
