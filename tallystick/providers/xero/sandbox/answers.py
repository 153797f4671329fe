"""How Xero writes: dates, amounts, the envelope around lists, and its shapes of errors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4
from xml.sax.saxutils import escape

from tallystick.ports.sandboxing import Answer

Element = dict[str, Any]
"""One contact, invoice, ... as in their JSON, with dates, times and decimals still typed."""

NIL = str(UUID(int=0))
JSON = {"content-type": "application/json; charset=utf-8"}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Invalid(Exception):
    """One element is refused; `messages` are for people."""

    def __init__(self, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


class Rejected(Exception):
    """The whole call is answered with `answer`."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(str(answer.status))
        self.answer = answer


def spelled(value: object) -> object:
    """What JSON has no words for, as Xero writes it."""
    if isinstance(value, Decimal):
        # JSON has one kind of number; the shortest spelling of a double gives back every amount of
        # up to 15 digits.
        return float(value)
    if isinstance(value, datetime):
        return f"/Date({milliseconds(value)}+0000)/"
    if isinstance(value, date):
        return spelled(datetime(value.year, value.month, value.day, tzinfo=UTC))
    raise TypeError(f"{type(value).__name__} cannot be written")


def milliseconds(time: datetime) -> int:
    passed = time - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1000 + passed.microseconds // 1000


def date_string(day: date) -> str:
    return f"{day.isoformat()}T00:00:00"


def dump(document: object) -> bytes:
    return json.dumps(document, default=spelled, separators=(",", ":")).encode()


def listing(
    noun: str,
    elements: Sequence[Element],
    *,
    now: datetime,
    pagination: Mapping[str, int] | None = None,
) -> Answer:
    """A list in its envelope."""
    document: dict[str, object] = {
        "Id": str(uuid4()),
        "Status": "OK",
        "ProviderName": "Tallystick sandbox",
        "DateTimeUTC": f"/Date({milliseconds(now)})/",
    }
    if pagination is not None:
        document["pagination"] = pagination
    document[noun] = elements
    return Answer(HTTPStatus.OK, JSON, dump(document))


def invalid(elements: Sequence[Element]) -> Answer:
    """One bad element refused the whole list."""
    return _exception(
        10, "ValidationException", "A validation exception occurred", Elements=elements
    )


def bad_query(message: str) -> Answer:
    return _exception(16, "QueryParseException", message)


def bad_body(message: str) -> Answer:
    return _exception(14, "PostDataInvalidException", message)


def bad_key(message: str) -> Answer:
    return _exception(10, "ValidationException", message)


def _exception(number: int, kind: str, message: str, **more: object) -> Answer:
    document = {"ErrorNumber": number, "Type": kind, "Message": message, **more}
    return Answer(HTTPStatus.BAD_REQUEST, JSON, dump(document))


def problem(status: HTTPStatus, detail: str, *, headers: Mapping[str, str] | None = None) -> Answer:
    """The other shape: token, tenant, missing resource, limits."""
    document: dict[str, object] = {
        "Type": None,
        "Title": status.phrase,
        "Status": int(status),
        "Detail": detail,
        "Instance": str(uuid4()),
        "Extensions": {},
    }
    return Answer(status, {**JSON, **(headers or {})}, dump(document))


def missing() -> Answer:
    return problem(HTTPStatus.NOT_FOUND, "The resource you're looking for cannot be found")


def as_xml(answer: Answer) -> Answer:
    """The same in XML: what Xero answers unless JSON is asked for."""
    text = f"<Response>{_xml(json.loads(answer.body or b'null'))}</Response>"
    headers = {**answer.headers, "content-type": "text/xml; charset=utf-8"}
    return Answer(answer.status, headers, text.encode())


def _xml(value: object) -> str:
    if isinstance(value, dict):
        return "".join(f"<{name}>{_xml(held)}</{name}>" for name, held in value.items())
    if isinstance(value, list):
        return "".join(f"<Element>{_xml(held)}</Element>" for held in value)
    if value is None:
        return ""
    return escape(str(value).lower() if isinstance(value, bool) else str(value))
