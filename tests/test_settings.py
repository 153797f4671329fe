"""A setting that makes no sense is one line that names it; what https turns on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SAY = """
import json
from tallystick import settings
print(json.dumps({name: getattr(settings, name) for name in dir(settings) if "HSTS" in name}))
"""


def run(*command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**clean, "ENV_FILE": os.devnull, "DEBUG": "1", **settings},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_LEVEL", "LOUD"),
        ("CELERY_BROKER_URL", "foo"),
        ("CELERY_BROKER_URL", "http://canary@host"),
        ("ALLOWED_HOSTS", ","),
        ("DEFAULT_FROM_EMAIL", "x"),
        ("DEFAULT_FROM_EMAIL", "Billing <>"),
        ("XERO_CURRENCY_CODE", "ZZZ"),
        ("DATABASE_URL", ":::"),
        ("DATABASE_URL", "sqlite://canary"),
        ("DATABASE_URL", "mysql://canary@host/name"),
        ("HSTS_PRELOAD", "perhaps"),
    ],
)
def test_what_makes_no_sense_is_one_line_that_names_the_setting(name: str, value: str) -> None:
    ended = run("manage.py", "check", **{name: value})
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"tallystick: {name}: ")
    assert "canary" not in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CELERY_BROKER_URL", "amqp://guest:guest@127.0.0.1:5672//"),
        ("CELERY_BROKER_URL", "redis+socket:///run/redis.sock"),
        ("DEFAULT_FROM_EMAIL", "Billing <billing@example.org>"),
        ("XERO_CURRENCY_CODE", "EUR"),
        ("DATABASE_URL", "postgres:///test"),
    ],
)
def test_what_makes_sense_is_taken(name: str, value: str) -> None:
    ended = run("-c", "import tallystick.settings", **{name: value})
    assert (ended.returncode, ended.stderr) == (0, "")


def hsts(**settings: str) -> dict[str, object]:
    said: dict[str, object] = json.loads(run("-c", SAY, **settings).stdout)
    return said


def test_https_binds_this_host_and_others_only_when_told() -> None:
    https = {"PUBLIC_URL": "https://pay.example"}
    alone = {"SECURE_HSTS_INCLUDE_SUBDOMAINS": False, "SECURE_HSTS_PRELOAD": False}
    assert hsts() == {"SECURE_HSTS_SECONDS": 0, **alone}
    assert hsts(**https) == {"SECURE_HSTS_SECONDS": 31_536_000, **alone}
    told = hsts(**https, HSTS_INCLUDE_SUBDOMAINS="True", HSTS_PRELOAD="True")
    assert all(told.values())
