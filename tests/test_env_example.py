"""`.env.example` lists what the site and the bridge read: no more, no less, each explained."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.kit.encryption import Keyring

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = (ROOT / ".env.example").read_text()
LINES = EXAMPLE.splitlines()
SETTING = re.compile(r"#?(?P<name>[A-Z][A-Z0-9_]+)=(?P<value>.*)")


READERS = ("tallystick/settings.py", "tallystick/bridge/settings.py")


def calls() -> Iterator[ast.AST]:
    for reader in READERS:
        yield from ast.walk(ast.parse((ROOT / reader).read_text()))


def settings_read() -> tuple[set[str], set[str], set[str]]:
    """The names that are read, those of them that are secrets, and the aliases."""
    names, secrets, aliases = set(), set(), set()
    for node in calls():
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if ast.unparse(node.func.value) not in {"env", "os.environ"} or not node.args:
            continue
        name = ast.literal_eval(node.args[0])
        names.add(name)
        if node.func.attr == "secret":
            secrets.add(name)
        aliases |= {
            alias
            for keyword in node.keywords
            if keyword.arg == "aliases"
            for alias in ast.literal_eval(keyword.value)
        }
    return names, secrets, aliases


READ, SECRETS, ALIASES = settings_read()
LISTED = {match["name"]: match["value"] for line in LINES if (match := SETTING.fullmatch(line))}


def test_every_setting_is_listed_and_no_other() -> None:
    assert sorted(LISTED) == sorted(READ)
    assert len(READ) > 20
    assert all(alias in EXAMPLE for alias in ALIASES)


def test_every_setting_is_explained() -> None:
    bare = [
        line
        for before, line in zip(["", *LINES], LINES, strict=False)
        if SETTING.fullmatch(line) and not before.startswith("# ")
    ]
    assert bare == []


def test_no_secret_has_a_value() -> None:
    assert {"SECRET_KEY", "FIELD_KEYS", "JOURNAL_KEY"} <= SECRETS
    assert {name: LISTED[name] for name in SECRETS if LISTED[name]} == {}


@pytest.mark.parametrize("name", ["SECRET_KEY", "FIELD_KEYS"])
def test_the_command_that_makes_a_key_makes_one(name: str) -> None:
    above = EXAMPLE.partition(f"\n{name}=")[0]
    command = re.findall(r'python -c "(.+)"', above)[-1]
    made = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert len(made) > 40
    if name == "FIELD_KEYS":
        assert Keyring.parse(made).newest.id == "k1"


def settings_say(tmp_path: Path, text: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "env").write_text(text)
    clean = {name: value for name, value in os.environ.items() if name not in READ | ALIASES}
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=clean
        | {"ENV_FILE": str(tmp_path / "env"), "DJANGO_SETTINGS_MODULE": "tallystick.settings"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_copy_says_which_keys_are_missing_and_runs_with_them(tmp_path: Path) -> None:
    missing = settings_say(tmp_path, EXAMPLE)
    assert missing.returncode == 1
    assert missing.stderr == "tallystick: SECRET_KEY: is not set; it is needed.\n"
    filled = EXAMPLE.replace("SECRET_KEY=\n", "SECRET_KEY=x\n", 1)
    filled = filled.replace("JOURNAL_KEY=\n", "JOURNAL_KEY=x\n", 1)
    broken = settings_say(
        tmp_path, filled.replace("\nFIELD_KEYS=\n", "\nFIELD_KEYS=k1:canary\n", 1)
    )
    assert broken.returncode == 1
    assert broken.stderr.startswith("tallystick: FIELD_KEYS: ")
    assert "canary" not in broken.stderr
    key = "k1:" + "A" * 42 + "E="
    good = settings_say(tmp_path, filled.replace("\nFIELD_KEYS=\n", f"\nFIELD_KEYS={key}\n", 1))
    assert (good.returncode, good.stderr) == (0, "")
