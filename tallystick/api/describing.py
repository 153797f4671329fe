"""How a call is described: what it takes and answers, with an example, and how it can be refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django_filters import (
    BooleanFilter,
    ChoiceFilter,
    DateFilter,
    IsoDateTimeFilter,
    MultipleChoiceFilter,
    NumberFilter,
    OrderingFilter,
    UUIDFilter,
)
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers

from tallystick.api import schemas
from tallystick.api.filters import Asked
from tallystick.api.paging import DEFAULT_LIMIT, MAX_LIMIT

F = TypeVar("F", bound=Callable[..., Any])
PDF = {(200, "application/pdf"): OpenApiTypes.BINARY}
_TYPES: dict[type, Any] = {
    UUIDFilter: OpenApiTypes.UUID,
    DateFilter: OpenApiTypes.DATE,
    IsoDateTimeFilter: OpenApiTypes.DATETIME,
    BooleanFilter: OpenApiTypes.BOOL,
    NumberFilter: {"type": "string", "pattern": r"^-?\d{1,15}(\.\d{1,4})?$"},
}


def described(  # noqa: PLR0913 - all but the first two by name, and most left out
    operation: str,
    summary: str,
    *,
    takes: Any = None,  # noqa: ANN401 - a serializer
    answers: Any = None,  # noqa: ANN401 - a serializer, or answers by status
    status: int = 200,
    asks: type[Asked] | None = None,
    paged: bool = False,
    tag: str = "invoices",
    example: Any = None,  # noqa: ANN401 - a body
    public: bool = False,
    says: str = "",
    more: Iterable[OpenApiParameter] = (),
) -> Callable[[F], F]:
    """Describe a method of a resource. `example` is of a body it takes."""
    found = answers if isinstance(answers, dict) else {status: _answer(answers, operation, paged)}
    examples = [OpenApiExample(summary, value=example, request_only=True)] if example else []
    options: dict[str, Any] = {"auth": []} if public else {}
    return extend_schema(
        operation_id=operation,
        summary=summary,
        description=says,
        request=takes,
        responses=found,
        parameters=[*more, *(_parameters(asks) if asks else []), *(PAGING if paged else [])],
        examples=examples,
        tags=[tag],
        **options,
    )


def _answer(answers: Any, operation: str, paged: bool) -> Any:  # noqa: ANN401
    if answers is None:
        return OpenApiResponse(description="Done.")
    return _page_of(answers) if paged else answers


def _page_of(rows: type[serializers.Serializer[Any]]) -> Any:  # noqa: ANN401 - a serializer
    return inline_serializer(
        f"{rows.__name__}Page",
        {
            "next": serializers.CharField(allow_null=True),
            "previous": serializers.CharField(allow_null=True),
            "count": schemas.Counted(required=False),
            "results": rows(many=True),
        },
    )


PAGING = [
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        description="Rows to a page.",
    ),
    OpenApiParameter("cursor", str, description="As given by `next` and `previous`."),
    OpenApiParameter(
        "count",
        {"type": "string", "enum": ["true", "false"]},
        description="Count the rows too: exactly up to 10,000.",
    ),
]


def _parameters(asks: type[Asked]) -> list[OpenApiParameter]:
    return [_parameter(name, each) for name, each in asks.base_filters.items()]


def _parameter(name: str, each: Any) -> OpenApiParameter:  # noqa: ANN401 - untyped there
    kind: Any = next((_TYPES[base] for base in type(each).__mro__ if base in _TYPES), str)
    many = isinstance(each, MultipleChoiceFilter | OrderingFilter)
    if isinstance(each, OrderingFilter):
        words = [value for value, _ in each.extra["choices"]]
        return OpenApiParameter(name, {"type": "string", "enum": words}, description=each.label)
    if isinstance(each, ChoiceFilter | MultipleChoiceFilter):
        words = [value for value, _ in each.extra["choices"]]
        one = {"type": "string", "enum": words} if len(words) < 20 else {"type": "string"}  # noqa: PLR2004
        kind = {"type": "array", "items": one} if many else one
    elif kind is str:
        limits = {"minLength": "min_length", "maxLength": "max_length"}
        kind = {"type": "string"} | {
            word: each.extra[key] for word, key in limits.items() if key in each.extra
        }
    return OpenApiParameter(name, kind, description=str(each.label or ""), explode=many or None)
