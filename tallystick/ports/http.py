"""Api: the way to one provider over HTTP. It parses at the border and speaks `ports.errors`.

could not leave, or was turned away          Unavailable, RateLimited
a read without a usable answer               Unavailable
a write without a usable answer              Uncertain, Garbled: it may have been carried out
401, 403                                     Unauthorized (401 after the auth renewed its token)
404, 410                                     Missing
other 4xx                                    Refused, with the provider's words
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json

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
from tallystick.ports.metering import Meter
from tallystick.ports.traffic import Traffic, said
from tallystick.ports.waiting import retry_after
from tallystick.ports.wire import TooLong, Wire, body_of, secure_url

T = TypeVar("T", bound=BaseModel)
Texts = Mapping[str, str]

_NEVER_LEFT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
)
_SUCCESS = range(200, 300)
_REJECTED = range(400, 500)


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer, before it is understood."""

    status: int
    headers: httpx2.Headers = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def is_page(self) -> bool:
        """HTML is what something on the way says, or a front server: not the API."""
        return "html" in self.headers.get("content-type", "").lower()


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
        wire: Wire,
        headers: Texts | None = None,
        meter: Meter | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        self.name = name
        self._base_url = secure_url(base_url)
        self._headers = dict(headers or {})
        self._meter = meter or Meter()
        self._traffic = traffic or Traffic(name)
        self._client = wire.client(leaving=self._leaving, arriving=self._arriving)

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
        request = self._request("GET", path, params, headers)
        return self._exchange(request, schema, repeatable=True)

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
        body = {"Content-Type": "application/json", **(headers or {})}
        request = self._request(method, path, params, body, content=to_json(json))
        return self._exchange(request, schema, repeatable=False)

    def post_form(self, path: str, schema: type[T], form: Texts) -> T:
        """Post a form that can be repeated without harm, such as for a token."""
        request = self._client.build_request(
            "POST", self._base_url + path, headers=self._headers, data=dict(form)
        )
        return self._exchange(request, schema, repeatable=True)

    def close(self) -> None:
        self._client.close()

    # -- what providers word differently

    def remaining(self, headers: httpx2.Headers) -> Mapping[str, int]:
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

    def _request(
        self,
        method: str,
        path: str,
        params: Texts | None,
        headers: Texts | None,
        *,
        content: bytes | None = None,
    ) -> httpx2.Request:
        return self._client.build_request(
            method,
            self._base_url + path,
            params=dict(params) if params else None,
            headers={**self._headers, **(headers or {})},
            content=content,
        )

    def _exchange(self, request: httpx2.Request, schema: type[T], *, repeatable: bool) -> T:
        answer = self._answer(request, repeatable=repeatable)
        if answer.status not in _SUCCESS:
            raise self._error(answer, repeatable=repeatable)
        try:
            return schema.model_validate_json(answer.content or b"{}")
        except ValidationError as error:
            where = ".".join(map(str, error.errors(include_input=False)[0]["loc"])) or "the body"
        # Outside of the handler: the error quotes the answer, and that may hold a secret.
        raise self._garbled(f"{where} is not as documented", repeatable=repeatable)

    def _answer(self, request: httpx2.Request, *, repeatable: bool) -> Answer:
        started = time.perf_counter()
        try:
            response = self._client.send(request, stream=True)
            try:
                answer = Answer(response.status_code, response.headers, body_of(response))
            finally:
                response.close()
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            self._traffic.failed(request, error)
            raise self._failure(error, repeatable=repeatable) from error
        self._traffic.passed(request, answer.status, answer.content, time.perf_counter() - started)
        return answer

    def _failure(self, error: Exception, *, repeatable: bool) -> ProviderError:
        if isinstance(error, _NEVER_LEFT):
            return Unavailable(f"{self.name} cannot be reached.")
        if isinstance(error, TooLong | httpx2.DecodingError):
            return self._garbled("it cannot be read", repeatable=repeatable)
        slow = isinstance(error, httpx2.TimeoutException)
        what = "did not answer in time" if slow else "broke off the answer"
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

    def _leaving(self, request: httpx2.Request) -> None:
        del request
        self._meter.called()

    def _arriving(self, response: httpx2.Response) -> None:
        self._meter.answered(self.remaining(response.headers))


def _joined(sentence: str, words: str) -> str:
    return f"{sentence}: {words}" if words else f"{sentence}."
