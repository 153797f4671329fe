"""Settings, the file, the threads, the command."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from tallystick.bridge import __main__ as command
from tallystick.bridge import settings
from tallystick.bridge.book import Book, InUse
from tallystick.bridge.hands import Hands
from tallystick.bridge.tests import samples
from tallystick.bridge.tests.world import World
from tallystick.kit.env import BadSetting

GIVEN = {
    "BRIDGE_SECRET": "canary-new,canary-old",
    "BRIDGE_CALLBACK_URL": "https://billing.example.org/",
    "INVOICE_NINJA_API_URL": "https://ninja.example.org",
    "INVOICE_NINJA_API_TOKEN": "canary-token",
}


def test_settings_and_their_defaults() -> None:
    found = settings.read(GIVEN)
    assert (found.host, found.port, found.database) == (
        "127.0.0.1",
        8200,
        Path("bridge.sqlite3"),
    )
    assert found.secrets == found.callback_secrets == ("canary-new", "canary-old")
    assert found.callback_url == "https://billing.example.org"
    assert "canary" not in repr(found)
    other = settings.read({**GIVEN, "BRIDGE_CALLBACK_SECRET": "back"})
    assert other.callback_secrets == ("back",)


@pytest.mark.parametrize("name", GIVEN)
def test_what_is_needed_is_asked_for(name: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name}: is not set"):
        settings.read({**GIVEN, name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BRIDGE_SECRET", ","),
        ("BRIDGE_SECRET", "canary mit Umläuten"),
        ("BRIDGE_SECRET", "whsec_canary!"),
        ("BRIDGE_CALLBACK_SECRET", "canary é"),
        ("BRIDGE_CALLBACK_URL", "http://billing.example.org"),
        ("BRIDGE_CALLBACK_URL", "canary"),
        ("BRIDGE_PORT", "70000"),
        ("INVOICE_NINJA_API_URL", "http://ninja.example.org"),
        ("INVOICE_NINJA_API_TOKEN", "canary with spaces"),
        ("INVOICE_NINJA_REQUEST_DELAY", "soon"),
    ],
)
def test_what_is_malformed_is_named_and_not_repeated(name: str, value: str) -> None:
    with pytest.raises(BadSetting) as caught:
        settings.read({**GIVEN, name: value})
    assert str(caught.value).startswith(f"{name}: ")
    assert "canary" not in str(caught.value)


def test_the_command_complains_in_a_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENV_FILE", str(tmp_path / "none"))
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("BRIDGE_SECRET")
    assert command.main([]) == 1
    assert (
        capsys.readouterr().err == "tallystick bridge: BRIDGE_SECRET: is not set; it is needed.\n"
    )
    monkeypatch.setenv("BRIDGE_SECRET", "x")
    assert command.main(["--database", str(tmp_path / "nowhere" / "file")]) == 1
    assert "BRIDGE_DATABASE" in capsys.readouterr().err
    (tmp_path / "text").write_text("this is no database, and it is long enough to be seen as such")
    assert command.main(["--database", str(tmp_path / "text")]) == 1
    assert "BRIDGE_DATABASE" in capsys.readouterr().err


def test_the_file_is_for_one_process_and_its_owner(world: World) -> None:
    world.send(samples.user())
    for path in world.file.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(InUse, match="in use by another process"):
        Book(world.file)


def test_threads_carry_and_tell(world: World) -> None:
    with world.client:
        world.send(samples.user())
        world.send(samples.product())
        for _ in range(2):
            assert world.site.came.acquire(timeout=30)
    assert {body["success"] for body in world.site.bodies} == {True}


def test_a_hand_outlives_trouble(caplog: pytest.LogCaptureFixture) -> None:
    tried = threading.Semaphore(0)

    def step() -> float:
        tried.release()
        raise OSError("canary")

    hands = Hands([step])
    hands.start()
    assert tried.acquire(timeout=10)
    hands.ring()
    assert tried.acquire(timeout=10)
    assert hands.stop(seconds=10)
    assert "OSError" in caplog.text
    assert "canary" not in caplog.text


def test_a_hand_that_hangs_is_not_waited_for() -> None:
    begun, end = threading.Event(), threading.Event()

    def step() -> float:
        begun.set()
        end.wait(30)
        return 0

    hands = Hands([step])
    hands.start()
    assert begun.wait(10)
    assert not hands.stop(seconds=0)
    end.set()


@pytest.mark.parametrize("state", ["owed", "answered"])
def test_what_cannot_be_read_holds_up_nothing(
    world: World, state: str, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (1, 2):
        world.send(samples.user(number))
    if state == "answered":
        world.bridge.carry_next()
    with world.bridge.book._writing() as db:
        db.execute(
            "UPDATE deliveries SET text = '{}' WHERE id = 'delivery-u1' AND state = ?", [state]
        )
    world.settle()
    assert not world.owed()
    assert len(world.site.bodies) == 1
    assert "delivery-u1 cannot be read" in caplog.text
