"""What comes in and goes out: JSON, read strictly and no more of it than is needed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

_DEEPEST = 20
_PLAIN_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,20})?", re.ASCII)


class TooLong(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = "The body is larger than one mebibyte."


class JsonBody(BaseParser):
    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever JSON holds
        del media_type, parser_context
        data = stream.read(settings.API_LARGEST_BODY + 1)
        if len(data) > settings.API_LARGEST_BODY:
            raise TooLong
        return read_json(data)


def read_json(data: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """What `data` says. Numbers are whole or exact decimals; raises `ParseError`."""
    try:
        value = json.loads(
            data.decode("utf-8"),
            parse_int=_whole,
            parse_float=_decimal,
            parse_constant=_no_number,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError:
        raise ParseError("The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise ParseError(f"The body is not JSON: {error}.") from None
    except RecursionError:
        raise ParseError("The body is nested too deeply.") from None
    _check_depth(value, 0)
    return value


class JsonAnswer(JSONRenderer):
    charset = None
    strict = True


class AlwaysJson(BaseContentNegotiation):
    """There is one form of answer, whatever the request would rather have."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        content_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        del request, format_suffix
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ParseError("A name stands twice in one object.")
    if any("\0" in name or not name.isprintable() for name in found):
        raise ParseError("A name in the body holds characters that cannot be printed.")
    return found


def _whole(text: str) -> int:
    return int(_plain(text))


def _decimal(text: str) -> Decimal:
    return Decimal(_plain(text))


def _plain(text: str) -> str:
    if not _PLAIN_NUMBER.fullmatch(text):
        raise ParseError(f"{text[:40]} is no number of a sensible size; write it like 1234.50.")
    return text


def _no_number(text: str) -> NoReturn:
    raise ParseError(f"{text} is not a number.")


def _check_depth(value: object, depth: int) -> None:
    if depth > _DEEPEST:
        raise ParseError("The body is nested too deeply.")
    if isinstance(value, dict):
        for each in value.values():
            _check_depth(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _check_depth(each, depth + 1)
