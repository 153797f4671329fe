"""How Invoice Ninja answers: `data`, its shapes of errors, and pages where JSON was not asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from tallystick.ports.sandboxing import Answer, Request

Row = dict[str, Any]
"""One client, product, ... by the names of their API; what is not there has its default."""

JSON = {
    "content-type": "application/json",
    "x-app-version": "5.11.34",
    "x-api-version": "5.11.34",
    "x-minimum-client-version": "5.0.16",
}

_PAGE = b"<!doctype html><html><head><title>Error</title></head><body><h1>Error</h1></body></html>"


class Invalid(Exception):
    """What was sent is refused: member -> what is wrong with it, for people."""

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        super().__init__(" ".join(text for texts in errors.values() for text in texts))
        self.errors = {name: list(texts) for name, texts in errors.items()}

    def answer(self) -> Answer:
        document = {"message": "The given data was invalid.", "errors": self.errors}
        return Answer(HTTPStatus.UNPROCESSABLE_ENTITY, JSON, dump(document))


class Rejected(Exception):
    """The call is answered with `answer`."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.answer = refusal(status, message)


def missing_record() -> Rejected:
    # 400, not 404: that is for routes.
    return Rejected(HTTPStatus.BAD_REQUEST, "Resource not found")


def missing_route() -> Rejected:
    return Rejected(HTTPStatus.NOT_FOUND, "Route does not exist")


def repeated() -> Rejected:
    return Rejected(HTTPStatus.BAD_REQUEST, "Duplicate request")


def answered(document: object) -> Answer:
    return Answer(HTTPStatus.OK, JSON, dump(document))


def refusal(status: HTTPStatus, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, {**JSON, **(headers or {})}, dump({"message": message}))


def wants_json(request: Request) -> bool:
    accept = request.headers.get("accept", "")
    is_ajax = request.headers.get("x-requested-with", "").lower() == "xmlhttprequest"
    return is_ajax or "json" in accept


def as_page(answer: Answer) -> Answer:
    """What a browser would get: a page, or for invalid input the way back to where it came from."""
    headers = {**answer.headers, "content-type": "text/html; charset=UTF-8"}
    if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return Answer(HTTPStatus.FOUND, {**headers, "location": "/"}, _PAGE)
    return Answer(answer.status, headers, _PAGE)


def dump(document: object) -> bytes:
    return json.dumps(document, default=_spelled, separators=(",", ":")).encode()


def _spelled(value: object) -> float:
    if isinstance(value, Decimal):
        # The shortest spelling of a double gives back every amount of up to 15 digits.
        return float(value)
    raise TypeError(f"{type(value).__name__} cannot be written")
