"""Refusals as `application/problem+json` (RFC 9457): what is wrong, where, and what helps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from tallystick.accounts.idempotency import InFlight, OtherRequest
from tallystick.accounts.limits import TooMany
from tallystick.api.problem_kinds import KINDS, POINTERS, kind_of
from tallystick.billing.errors import BillingError
from tallystick.kit.money import MoneyError

CONTENT_TYPE = "application/problem+json"
Fault = dict[str, str]
Told = tuple[str, int, str, list[Fault]]


@dataclass
class Problem(Exception):
    """A refusal that names its kind. `pointer` is a JSON pointer into the body, or a query's name."""

    code: str
    detail: str = ""
    pointer: str = ""

    def __post_init__(self) -> None:
        super().__init__(self.code, self.detail)


def answer(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """The response that says it; None for what is no refusal but a mistake of ours."""
    request = context.get("request")
    told = _told(error)
    if told is None:
        return None
    code, status, detail, faults = told
    body = {
        "type": f"{settings.PUBLIC_URL}/api/problems/{code}/",
        "title": KINDS[code].title if code in KINDS else HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "instance": request.path if request is not None else "",
        "errors": faults,
    }
    response = Response(body, status=status, content_type=CONTENT_TYPE)
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    if isinstance(error, TooMany):
        response["Retry-After"] = str(error.seconds)
    return response


def _told(error: Exception) -> Told | None:
    """Code, status, words, and the places that are wrong."""
    told: Told | None = None
    match error:
        case Problem():
            kind = KINDS[error.code]
            detail = error.detail or kind.help
            told = error.code, kind.status, detail, _faults(error.pointer, detail, error.code)
        case BillingError() | MoneyError():
            told = _of_billing(error)
        case exceptions.ValidationError():
            faults = list(each_fault(error))
            told = "invalid", HTTPStatus.UNPROCESSABLE_ENTITY, _summed_up(faults), faults
        case ValidationError():
            faults = [{"pointer": "", "detail": word, "code": "invalid"} for word in error.messages]
            told = "invalid", HTTPStatus.UNPROCESSABLE_ENTITY, _summed_up(faults), faults
        case exceptions.APIException():
            told = _of_framework(error)
        case Http404():
            told = "not_found", HTTPStatus.NOT_FOUND, KINDS["not_found"].help, []
        case _ if code := _PLAIN.get(type(error)):
            told = code, KINDS[code].status, KINDS[code].help, []
    return told


_PLAIN: dict[type[Exception], str] = {
    PermissionDenied: "forbidden",
    TooMany: "throttled",
    InFlight: "idempotency_in_flight",
    OtherRequest: "idempotency_key_reused",
}
_CODES = {
    "parse_error": "malformed_json",
    "authentication_failed": "key_refused",
    "permission_denied": "forbidden",
    "method_not_allowed": "method_not_allowed",
    "unsupported_media_type": "unsupported_media_type",
}


def _of_billing(error: Exception) -> tuple[str, int, str, list[Fault]]:
    code, status = kind_of(error)
    detail = str(error)
    pointer = getattr(error, "pointer", "") or POINTERS.get(code, "")
    return code, status, detail, _faults(pointer, detail, code)


def _of_framework(error: exceptions.APIException) -> tuple[str, int, str, list[Fault]]:
    codes = error.get_codes()
    code = codes if isinstance(codes, str) else "invalid"
    code = _CODES.get(code, code)
    words = str(error.detail)
    if code in KINDS and words == str(type(error).default_detail):
        words = KINDS[code].help
    return code, error.status_code, words, []


def _faults(pointer: str, detail: str, code: str) -> list[Fault]:
    return [{"pointer": pointer, "detail": detail, "code": code}] if pointer else []


def each_fault(error: exceptions.ValidationError) -> Iterator[Fault]:
    """What is wrong, and the place it is at."""
    return _walk(error.get_full_details(), "")


def _walk(details: object, pointer: str) -> Iterator[Fault]:
    """Every fault of a serializer's, with the place it is at."""
    if isinstance(details, Mapping) and set(details) == {"message", "code"}:
        yield {
            "pointer": pointer,
            "detail": str(details["message"]),
            "code": str(details["code"]),
        }
    elif isinstance(details, Mapping):
        for name, inner in details.items():
            at = pointer if name == "non_field_errors" else f"{pointer}/{_escaped(str(name))}"
            yield from _walk(inner, at)
    elif isinstance(details, Sequence):
        # A list of messages is of one place; a list of mappings is of the items of a list.
        for number, inner in enumerate(details):
            is_fault = isinstance(inner, Mapping) and set(inner) == {"message", "code"}
            yield from _walk(inner, pointer if is_fault else f"{pointer}/{number}")


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _summed_up(faults: Sequence[Fault]) -> str:
    if not faults:
        return KINDS["invalid"].help
    first = faults[0]
    where = f"{first['pointer']}: " if first["pointer"] else ""
    more = f" And {len(faults) - 1} more." if len(faults) > 1 else ""
    return f"{where}{first['detail']}{more}"
