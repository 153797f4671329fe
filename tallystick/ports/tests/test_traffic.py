from __future__ import annotations

import logging

import pytest

from tallystick.ports.exchange import Answer, Question, TooSlow
from tallystick.ports.traffic import Traffic, redacted, said

SECRETS = ("s3cr3t-value", "")


def traffic(*, is_on: bool) -> Traffic:
    return Traffic("Test", is_on=is_on, secrets=lambda: SECRETS)


def pass_something(log: Traffic) -> None:
    question = Question(
        "POST",
        "https://api.example/token",
        {"email": "ada@example.org", "key": "s3cr3t-value"},
        {"Authorization": "Bearer abc"},
        b'{"client_secret": "other", "Name": "Ada", "EmailAddress": "ada@example.org"}',
    )
    body = b'{"access_token": "eyJ0.a.b", "note": "s3cr3t-value\\n' + b"x" * 10_000 + b'"}'
    log.passed(question, Answer(200, {}, body), 0.0123)
    log.failed(question, TooSlow("ReadTimeout"))


def test_it_is_off_unless_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        pass_something(traffic(is_on=False))
    assert caplog.text == ""


def test_it_tells_what_passed_and_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        pass_something(traffic(is_on=True))
    for secret in ("s3cr3t", "ada@", "eyJ0", "other", "Bearer abc"):
        assert secret not in caplog.text
    assert "POST https://api.example/token" in caplog.text
    assert "-> 200 in 12 ms" in caplog.text
    assert "Ada" in caplog.text
    assert "ReadTimeout" in caplog.text
    assert len(caplog.text) < 10_000
    assert all(record.message.isprintable() for record in caplog.records)


def test_it_can_leave_out_what_was_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        pass_something(Traffic("Test", is_on=True, bodies=False))
    assert "POST https://api.example/token" in caplog.text
    assert "sent '76 bytes'" in caplog.text
    assert "Ada" not in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abc.def-ghi",
        "authorization: basic aWQ6c2VjcmV0",
        '{"refresh_token": "abc.def-ghi"}',
        "token=abc.def-ghi&grant_type=x",
        '{"client_secret":"abc.def-ghi"}',
        "Password: abc.def-ghi",
        "mail from abc.def-ghi@example.org",
        "email=abc.def-ghi%40example.org",
    ],
)
def test_what_looks_like_a_secret_is_blacked_out(text: str) -> None:
    assert not {"abc", "def-ghi", "aWQ6"} & set(redacted(text).replace(".", " ").split())
    assert "def-ghi" not in redacted(text)
    assert "aWQ6" not in redacted(text)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("Too long.", "Too long."),
        ("<b>Too</b>\r\n\tlong\x00.", "Too long ."),
        ("<script>alert(1)</script>", "alert(1)"),
        ("a < b > c", "a c"),
        ("x" * 1000, "x" * 299 + "…"),
        ("", ""),
    ],
)
def test_words_from_outside_are_one_short_line(words: str, line: str) -> None:
    assert said(words) == line


def test_a_long_hostile_text_takes_no_time() -> None:
    for piece in ("<" * 100, "token" * 20, "a@" * 50, " " * 100, "token=" * 20):
        assert len(said(piece * 10_000)) <= 300
        redacted(piece * 500)
