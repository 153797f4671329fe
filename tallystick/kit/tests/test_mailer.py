from __future__ import annotations

from typing import Any

import environ
import pytest

from tallystick.kit.mailer import mailer

BACKENDS = "django.core.mail.backends"


@pytest.mark.parametrize(
    ("url", "backend", "options"),
    [
        ("consolemail://", "console", {}),
        ("memorymail://", "locmem", {}),
        ("filemail:///mails", "filebased", {"file_path": "mails"}),
        (
            "smtp+tls://anna:s%40crt@mail.example.org:587",
            "smtp",
            {
                "host": "mail.example.org",
                "port": 587,
                "username": "anna",
                "password": "s@crt",
                "use_tls": True,
            },
        ),
        ("smtp+ssl://mail.example.org", "smtp", {"host": "mail.example.org", "use_ssl": True}),
    ],
)
def test_a_mailer_of_an_address(url: str, backend: str, options: dict[str, Any]) -> None:
    made = mailer(environ.Env.email_url_config(url))
    assert made == {"BACKEND": f"{BACKENDS}.{backend}.EmailBackend", "OPTIONS": options}
