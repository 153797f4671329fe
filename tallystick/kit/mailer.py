"""How mail leaves, as the installed Django wants it said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OPTIONS = {
    "EMAIL_HOST": "host",
    "EMAIL_PORT": "port",
    "EMAIL_HOST_USER": "username",
    "EMAIL_HOST_PASSWORD": "password",
    "EMAIL_USE_TLS": "use_tls",
    "EMAIL_USE_SSL": "use_ssl",
    "EMAIL_TIMEOUT": "timeout",
    "EMAIL_FILE_PATH": "file_path",
}


def mailer(config: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of `MAILERS`, which came with Django 6.1, from the settings of before. A backend
    refuses options that it does not know, so those without a value are left out."""
    options = {option: config[name] for name, option in _OPTIONS.items() if config.get(name)}
    return {"BACKEND": config["EMAIL_BACKEND"], "OPTIONS": options}
