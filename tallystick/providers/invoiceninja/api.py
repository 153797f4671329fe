"""InvoiceNinjaApi: what Invoice Ninja words differently from other HTTP interfaces.

* 400: no such record, a request repeated too soon, or something it will not do; which of them, only
  its words tell: without them it is tried again
* 404: no such address, never a missing record
* 422: a list of complaints for each field
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from tallystick.kit import clock
from tallystick.ports.errors import (
    Missing,
    ProviderError,
    Refused,
    Taken,
    Unauthorized,
    Unavailable,
)
from tallystick.ports.exchange import Answer, Line, Question, Texts
from tallystick.ports.http import Api
from tallystick.ports.metering import Meter
from tallystick.ports.traffic import Traffic, said
from tallystick.providers.invoiceninja.pace import Pace
from tallystick.providers.invoiceninja.schema import InvoiceNinjaSettings, Problem

T = TypeVar("T", bound=BaseModel)

MINUTE = "minute"
"""The name of the one limit that Invoice Ninja has."""
_PREFIX = "/api/v1"
_REMAINING = "x-ratelimit-remaining"
_UNIQUE = frozenset({"number", "id_number", "idempotency_key"})
# Answers about a record that is not there: the framework's words, and the server's own.
_NOT_FOUND = ("not found", "no query results")
_REPEATED = "duplicate request"
_REMEMBERED = 1.0
"""Seconds for which the server turns away what looks like its last bulk action or payment."""


class Repeated(Unavailable):
    """The server takes it for a repeat of what it was sent within the second."""


class InvoiceNinjaApi(Api):
    """`limited`: whether calls are counted, so that what the server says is left can be compared.
    A pause keeps requests apart until an answer states a limit."""

    def __init__(
        self,
        name: str,
        settings: InvoiceNinjaSettings,
        *,
        line: Line,
        meter: Meter,
        traffic: Traffic,
        is_limited: bool,
    ) -> None:
        super().__init__(
            name,
            settings.api_url + _PREFIX,
            line=line,
            # Without the second header failures come as HTML, or as a way to a sign-in page.
            headers={
                "X-API-TOKEN": settings.api_token.get_secret_value(),
                "X-Requested-With": "XMLHttpRequest",
            },
            meter=meter,
            traffic=traffic,
        )
        self._is_limited = is_limited
        self._pace = Pace(settings.request_delay)

    def send(
        self,
        method: str,
        path: str,
        schema: type[T],
        *,
        json: object = None,
        params: Texts | None = None,
        headers: Texts | None = None,
    ) -> T:
        """As `Api.send`. What is taken for a repeat goes once more when that is forgotten."""

        def sent() -> T:
            return super(InvoiceNinjaApi, self).send(
                method, path, schema, json=json, params=params, headers=headers
            )

        try:
            return sent()
        except Repeated:
            clock.sleep(_REMEMBERED)
            return sent()

    def ask(self, path: str, schema: type[T]) -> T:
        """Read by POST, where the server has it so: nothing changes, and it can be repeated."""
        question = Question("POST", self._base_url + path, {}, self._with(None))
        return self._exchange(question, schema, repeatable=True)

    def remaining(self, headers: Texts) -> Mapping[str, int]:
        left = headers.get(_REMAINING, "")
        if not (left.isascii() and left.isdigit() and len(left) < 10):  # noqa: PLR2004 - no real count
            return {}
        self._pace.lift()
        return {MINUTE: int(left)} if self._is_limited else {}

    def words(self, answer: Answer) -> str:
        problem = _problem(answer)
        complaints = [f"{name}: {' '.join(texts)}" for name, texts in problem.complaints().items()]
        return " ".join(complaints) or problem.message

    def refusal(self, answer: Answer) -> ProviderError:
        words = said(self.words(answer))
        found: ProviderError | None = None
        match answer.status:
            case HTTPStatus.BAD_REQUEST:
                found = _not_done(words, self.name)
            case HTTPStatus.UNAUTHORIZED:
                what = f"{self.name} does not let this token's user do this; reconnect with one who may."
                found = Unauthorized(f"{what} {words}".rstrip())
            case HTTPStatus.NOT_FOUND | HTTPStatus.METHOD_NOT_ALLOWED:
                what = f"{self.name} has no such address; see whether its API address is right."
                found = Refused(f"{what} {words}".rstrip())
            case HTTPStatus.UNPROCESSABLE_ENTITY if _UNIQUE & set(_problem(answer).complaints()):
                found = Taken(words)
        return found or super().refusal(answer)

    def _answer(self, question: Question, *, repeatable: bool) -> Answer:
        self._pace.take()
        return super()._answer(question, repeatable=repeatable)


def _problem(answer: Answer) -> Problem:
    try:
        return Problem.model_validate_json(answer.content)
    except ValidationError:
        return Problem()


def _not_done(words: str, name: str) -> ProviderError | None:
    if not words:
        return Unavailable(f"{name} turned this away without a reason that can be read (HTTP 400).")
    if _REPEATED in words.lower():
        return Repeated(f"{name} takes this for a repeat of what it was just sent.")
    if any(phrase in words.lower() for phrase in _NOT_FOUND):
        return Missing(f"{name} does not know this: {words}")
    return None
