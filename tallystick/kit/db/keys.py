"""The ring of keys that the setting `FIELD_KEYS` holds."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from tallystick.kit.encryption import BadKeys, Keyring
from tallystick.kit.env import BadSetting


def keyring() -> Keyring:
    """The keys in use; raises `BadSetting` when the setting is missing or malformed."""
    return _parsed(getattr(settings, "FIELD_KEYS", ""))


@lru_cache(maxsize=8)
def _parsed(text: str) -> Keyring:
    try:
        return Keyring.parse(text)
    except BadKeys as error:
        raise BadSetting("FIELD_KEYS", str(error)) from None
