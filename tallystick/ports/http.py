"""Api: the way to one provider over HTTP. It parses at the border and speaks `ports.errors`.

* could not leave, or was turned away: `Unavailable`, `RateLimited`
* a read without a usable answer: `Unavailable`
* a write without a usable answer: `Uncertain`, `Garbled`; it may have been carried out
* 401, 403: `Unauthorized` (401 after the token was renewed once)
* 404, 410: `Missing`
* other 4xx: `Refused`, with the provider's words
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from tallystick.ports.errors import (
    Garbled,
    Missing,
    ProviderError,
    RateLimited,
    Refused,
    Unauthorized,
    Unavailable,
    Uncertain,
)
from tallystick.ports.exchange import (
    Answer,
    Failure,
    Line,
    NeverLeft,
    Question,
    Texts,
    TooSlow,
    Unreadable,
    secure_url,
)
from tallystick.ports.metering import Meter
from tallystick.ports.traffic import Traffic, said
from tallystick.ports.waiting import retry_after

T = TypeVar("T", bound=BaseModel)

_SUCCESS = range(200, 300)
_REJECTED = range(400, 500)


class Nothing(BaseModel):
    """For answers whose body does not matter."""

    model_config = ConfigDict(defer_build=True)


class Api:
    """Safe to share by threads. A subclass says what its provider words differently.

    `name` is the provider as a person knows it. `headers` go with every call.
    """

    wait = 60.0
    """Seconds to rest after a 429 that does not say how long."""

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        line: Line | None = None,
        headers: Texts | None = None,
        meter: Meter | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        # The HTTP stack takes 16 MiB: a process that makes no client does without.
        from tallystick.ports.wire import Wire

        self.name = name
        line = line or Line()
        self._base_url = secure_url(base_url, allow_http=line.allow_http)
        self._headers = dict(headers or {})
        self._meter = meter or Meter()
        self._traffic = traffic or Traffic(name)
        self._wire = Wire(line, leaving=self._meter.called, arriving=self._arriving)

    # -- the calls

    def get(
        self,
        path: str,
        schema: type[T],
        *,
        params: Texts | None = None,
        headers: Texts | None = None,
    ) -> T:
        """Read. Never `Uncertain`: a read can be repeated."""
        question = Question("GET", self._base_url + path, params or {}, self._with(headers))
        return self._exchange(question, schema, repeatable=True)

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
        """Write. Without a usable answer it is `Uncertain`."""
        try:
            content = to_json(json)
        except (PydanticSerializationError, UnicodeError):
            raise Refused(f"This cannot be written in the JSON that {self.name} reads.") from None
        said_type = self._with({"Content-Type": "application/json", **(headers or {})})
        question = Question(method, self._base_url + path, params or {}, said_type, content)
        return self._exchange(question, schema, repeatable=False)

    def post_form(self, path: str, schema: type[T], form: Texts) -> T:
        """Post a form that can be repeated without harm, such as for a token."""
        said_type = self._with({"Content-Type": "application/x-www-form-urlencoded"})
        content = urlencode(form).encode()
        question = Question("POST", self._base_url + path, {}, said_type, content)
        return self._exchange(question, schema, repeatable=True)

    def deliver(self, content: bytes, headers: Texts) -> None:
        """Post bytes as they were signed, to the address itself, which bears repeats. Any success
        will do, whatever it says."""
        question = Question("POST", self._base_url, {}, self._with(headers), content)
        answer = self._answer(question, repeatable=True)
        if answer.status not in _SUCCESS:
            raise self._error(answer, repeatable=True)

    def close(self) -> None:
        self._wire.close()

    # -- what providers word differently

    def remaining(self, headers: Texts) -> Mapping[str, int]:
        """What the headers of an answer say is left: limit name -> calls."""
        del headers
        return {}

    def limited(self, answer: Answer) -> RateLimited:
        """What an answer of 429 says."""
        seconds = retry_after(answer.headers)
        return RateLimited(
            f"{self.name} has had enough calls for now.",
            retry_after=self.wait if seconds is None else seconds,
        )

    def words(self, answer: Answer) -> str:
        """The provider's own reason in an answer that refuses; empty when there is none."""
        del answer
        return ""

    def refusal(self, answer: Answer) -> ProviderError:
        """What an answer of 4xx means, 429 apart."""
        found: ProviderError
        words = said(self.words(answer))
        match answer.status:
            case HTTPStatus.UNAUTHORIZED:
                found = Unauthorized(f"{self.name} does not accept the credentials; reconnect.")
            case HTTPStatus.FORBIDDEN if answer.is_page:
                found = Unavailable(f"Something on the way to {self.name} turned the call away.")
            case HTTPStatus.FORBIDDEN:
                found = Unauthorized(_joined(f"{self.name} does not permit this; reconnect", words))
            case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
                found = Missing(_joined(f"{self.name} does not know this", words))
            case _:
                found = Refused(words or f"{self.name} refused the call (HTTP {answer.status}).")
        return found

    # -- the way there and back

    def _with(self, headers: Texts | None) -> Texts:
        return {**self._headers, **headers} if headers else self._headers

    def _exchange(self, question: Question, schema: type[T], *, repeatable: bool) -> T:
        answer = self._answer(question, repeatable=repeatable)
        if answer.status not in _SUCCESS:
            raise self._error(answer, repeatable=repeatable)
        try:
            return schema.model_validate_json(answer.content or b"{}")
        except ValidationError as error:
            where = ".".join(map(str, error.errors(include_input=False)[0]["loc"])) or "the body"
        # Outside of the handler: the error quotes the answer, and that may hold a secret.
        raise self._garbled(f"{where} is not as documented", repeatable=repeatable)

    def _answer(self, question: Question, *, repeatable: bool) -> Answer:
        started = time.perf_counter()
        try:
            answer = self._wire.carry(question)
        except Failure as failure:
            self._traffic.failed(question, failure)
            raise self._failed(failure, repeatable=repeatable) from failure
        self._traffic.passed(question, answer, time.perf_counter() - started)
        return answer

    def _failed(self, failure: Failure, *, repeatable: bool) -> ProviderError:
        if isinstance(failure, NeverLeft):
            return Unavailable(f"{self.name} cannot be reached.")
        if isinstance(failure, Unreadable):
            return self._garbled("it cannot be read", repeatable=repeatable)
        what = "did not answer in time" if isinstance(failure, TooSlow) else "broke off its answer"
        return self._lost(f"{self.name} {what}.", repeatable=repeatable)

    def _error(self, answer: Answer, *, repeatable: bool) -> ProviderError:
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            return self.limited(answer)
        if answer.status in _REJECTED and answer.status != HTTPStatus.REQUEST_TIMEOUT:
            return self.refusal(answer)
        if answer.status < HTTPStatus.BAD_REQUEST:
            return self._garbled(f"HTTP {answer.status}", repeatable=repeatable)
        reason = f"{self.name} has trouble of its own (HTTP {answer.status})."
        return self._lost(reason, repeatable=repeatable)

    def _lost(self, reason: str, *, repeatable: bool) -> ProviderError:
        return Unavailable(reason) if repeatable else Uncertain(reason)

    def _garbled(self, what: str, *, repeatable: bool) -> ProviderError:
        reason = f"{self.name} gave an answer that is of no use: {what}."
        return Unavailable(reason) if repeatable else Garbled(reason)

    def _arriving(self, headers: Texts) -> None:
        self._meter.answered(self.remaining(headers))


def _joined(sentence: str, words: str) -> str:
    return f"{sentence}: {words}" if words else f"{sentence}."
