"""The example host project passes its own tests, with its own settings, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HOST = Path(__file__).resolve().parent.parent / "examples" / "clinic"


@pytest.mark.slow
def test_the_example_host_works(tmp_path: Path) -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DJANGO_SETTINGS_MODULE", "DATABASE_URL"} and not name.startswith("PYTEST")
    }
    environment["CLINIC_DB"] = str(tmp_path / "clinic.sqlite3")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly"],
        cwd=HOST,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_it_has_a_migration_for_every_model(tmp_path: Path) -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "clinic.settings"}
    environment.pop("DATABASE_URL", None)
    environment["CLINIC_DB"] = str(tmp_path / "clinic.sqlite3")
    environment["PYTHONPATH"] = str(HOST.parent.parent)
    for command in (["check"], ["makemigrations", "--check", "--dry-run", "clinic"]):
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=HOST,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
