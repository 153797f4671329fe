from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock
from tallystick.kit.logfiles import LogFile

Open = Callable[[Path], LogFile]


@pytest.fixture
def opened() -> Iterator[Open]:
    made: list[LogFile] = []

    def make(path: Path) -> LogFile:
        made.append(LogFile(path, size=200))
        return made[-1]

    yield make
    for handler in made:
        handler.close()


def line(text: str) -> logging.LogRecord:
    return logging.LogRecord("test", logging.INFO, __file__, 1, text, None, None)


def test_the_folder_is_made_with_the_first_line(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "logs" / "a.log"
    handler = opened(path)
    assert not path.parent.exists()
    handler.handle(line("first"))
    assert path.read_text() == "first\n"


def test_without_a_place_lines_go_to_stderr(
    tmp_path: Path, opened: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    handler = opened(tmp_path / "logs" / "a.log")
    handler.setFormatter(logging.Formatter("said: %(message)s"))
    handler.handle(line("first"))
    handler.handle(line("second"))
    assert capsys.readouterr().err == "said: first\nsaid: second\n"


def test_the_file_is_tried_again_after_a_minute(
    tmp_path: Path, opened: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "logs"
    folder.write_text("a file where the folder should be")
    handler = opened(folder / "a.log")
    with clock.use(VirtualClock()) as now:
        handler.handle(line("first"))
        folder.unlink()
        handler.handle(line("second"))
        now.advance(timedelta(seconds=61))
        handler.handle(line("third"))
    assert capsys.readouterr().err == "first\nsecond\n"
    assert (folder / "a.log").read_text() == "third\n"


def test_a_full_file_is_put_aside_once(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "a.log"
    one, other = opened(path), opened(path)
    for number in range(9):
        one.handle(line(f"one {number} {'x' * 30}"))
        other.handle(line(f"other {number} {'x' * 30}"))
    text = "".join(file.read_text() for file in tmp_path.iterdir())
    assert text.count("\n") == 18
    assert all(file.stat().st_size < 300 for file in tmp_path.iterdir())
    assert path.read_text().endswith(f"other 8 {'x' * 30}\n")


def test_a_file_that_was_taken_away_is_made_again(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "a.log"
    handler = opened(path)
    handler.handle(line("first"))
    path.unlink()
    handler.handle(line("second"))
    assert path.read_text() == "second\n"
