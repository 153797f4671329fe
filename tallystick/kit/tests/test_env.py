from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tallystick.kit.env import BadSetting, Env


def test_typed_reading() -> None:
    env = Env({"A": " text ", "F": "Yes", "N": "7", "W": "a, b,,c", "U": "https://x.org/"})
    assert env.text("A") == "text"
    assert env.flag("F") is True
    assert env.integer("N") == 7
    assert env.words("W") == ["a", "b", "c"]
    assert env.url("U") == "https://x.org"
    assert env.choice("A", ["text", "other"]) == "text"


def test_an_empty_variable_is_not_set() -> None:
    env = Env({"A": "  "})
    assert env.text("A", "default") == "default"
    with pytest.raises(BadSetting, match=r"^A: is not set"):
        env.text("A")


def test_the_first_alias_that_is_set_counts() -> None:
    env = Env({"NEW": "", "OLD": "x"})
    assert env.text("NEW", aliases=["OLD"]) == "x"


def test_a_secret_comes_from_the_file_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret\n")
    assert Env({"KEY_FILE": str(tmp_path / "key"), "KEY": "other"}).secret("KEY") == "s3cret"
    with pytest.raises(BadSetting, match=r"^KEY_FILE: .* cannot be read"):
        Env({"KEY_FILE": str(tmp_path / "none")}).secret("KEY")


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (Env.flag, "maybe"),
        (Env.integer, "1.5"),
        (Env.integer, "-1"),
        (Env.integer, "9" * 13),
        (Env.integer, "٣"),
        (Env.url, "ftp://x"),
        (Env.url, "https://[x"),
        (Env.url, "https://x:port"),
        (Env.pattern, "("),
    ],
)
def test_what_is_malformed_is_one_line_that_names_the_setting(
    read: Callable[[Env, str], object], value: str
) -> None:
    with pytest.raises(BadSetting) as caught:
        read(Env({"THE_SETTING": value}), "THE_SETTING")
    assert caught.value.setting == "THE_SETTING"
    assert str(caught.value).startswith("THE_SETTING: ")
    assert "\n" not in str(caught.value)


def test_a_port_and_a_choice_have_bounds() -> None:
    with pytest.raises(BadSetting):
        Env({"P": "65536"}).port("P", 80)
    with pytest.raises(BadSetting, match="one of a, b"):
        Env({"C": "c"}).choice("C", ["a", "b"])


def test_no_pattern_is_none() -> None:
    assert Env({}).pattern("R") is None
