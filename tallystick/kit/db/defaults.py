"""Settings that a host need not make: each app says its own when Django loads it."""

from __future__ import annotations

from django.conf import settings


def fill(**values: object) -> None:
    """Set those that the host's settings leave out."""
    for name, value in values.items():
        if not hasattr(settings, name):
            setattr(settings, name, value)
