"""The traffic log, and words from outside made fit to be shown: no secret, no address, no markup."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable

from tallystick.ports.exchange import Answer, Failure, Question

_LONGEST_BODY = 4000
_LONGEST_WORDS = 300
_EMAIL = re.compile(r"[^\s\"'<>@,;:()=&%]{1,64}(?:@|%40)[\w.-]{1,255}")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+")
_TOKENS = re.compile(
    r"""(?ix)
    ((?:token|secret|password|api_?key|signature) "? \s{0,9} [:=] \s{0,9} "?)
    [^"&,}\s]+
    """
)
_TAG = re.compile(r"<[^<>]{0,500}>")
_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")

Secrets = Callable[[], Iterable[str]]


def _no_secrets() -> Iterable[str]:
    return ()


class Traffic:
    """The log of one provider's HTTP traffic: off unless `is_on`, and then at DEBUG.

    `secrets` names those in use at the moment; they and everything that looks like a token or an
    e-mail address are blacked out. Without `bodies`, only their lengths are told.
    """

    def __init__(
        self,
        name: str,
        *,
        is_on: bool = False,
        secrets: Secrets = _no_secrets,
        bodies: bool = True,
    ) -> None:
        self._log = logging.getLogger(f"tallystick.traffic.{name.lower().replace(' ', '_')}")
        self._is_on = is_on
        self._secrets = secrets
        self._bodies = bodies

    def passed(self, question: Question, answer: Answer, seconds: float) -> None:
        if self._is_on:
            self._log.debug(
                "%s %s -> %d in %.0f ms; sent %r; got %r",
                question.method,
                self._address(question),
                answer.status,
                seconds * 1000,
                self._body(question.content),
                self._body(answer.content),
            )

    def failed(self, question: Question, failure: Failure) -> None:
        if self._is_on:
            self._log.debug("%s %s -> %s", question.method, self._address(question), failure)

    def _address(self, question: Question) -> str:
        return self._redacted(f"{question.url} {dict(question.params)}")

    def _body(self, body: bytes) -> str:
        if not self._bodies:
            return f"{len(body)} bytes"
        # Cut again when redacted: half a secret, at the first cut, is not recognised.
        start = body[: 4 * _LONGEST_BODY].decode("utf-8", "replace")
        return self._redacted(start)[:_LONGEST_BODY]

    def _redacted(self, text: str) -> str:
        for secret in self._secrets():
            if secret:
                text = text.replace(secret, "[secret]")
        return redacted(text)


def redacted(text: str) -> str:
    """`text` with everything that looks like a credential or an e-mail address blacked out."""
    text = _BEARER.sub(r"\1 [secret]", text)
    text = _TOKENS.sub(r"\1[secret]", text)
    return _EMAIL.sub("[e-mail]", text)


def said(words: str) -> str:
    """A provider's words as one short line for people."""
    line = _SPACE.sub(" ", _TAG.sub(" ", words[: 4 * _LONGEST_WORDS])).strip()
    line = redacted(line.replace("<", "").replace(">", ""))
    return line if len(line) <= _LONGEST_WORDS else line[: _LONGEST_WORDS - 1] + "…"
