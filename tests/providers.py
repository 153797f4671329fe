"""Who takes part in the shared suite of providers: every one that is registered, by the `CASE` in
its `tests`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

import pytest

from tallystick.integrations.registry import PROVIDERS
from tallystick.ports.records import Record, Remote
from tallystick.ports.roles import (
    Push,
    pusher,
    pusher_role,
)
from tallystick.ports.samples import kind_of
from tallystick.ports.testing import Case, sent

AnyCase = Case[Any]
F = TypeVar("F", bound=Callable[..., None])

CASES: list[AnyCase] = [
    import_module(f"{provider.__module__.rpartition('.')[0]}.tests").CASE for provider in PROVIDERS
]


def every(*roles: type) -> Callable[[F], F]:
    """Once for each provider that has the roles."""
    chosen = [case for case in CASES if all(issubclass(case.provider, role) for role in roles)]
    return pytest.mark.parametrize("case", chosen, ids=[case.provider.type for case in chosen])


def every_push(test: F) -> F:
    """Once for each provider and each kind that it pushes."""
    chosen = [
        pytest.param(case, kind, id=f"{case.provider.type}-{kind.value}")
        for case in CASES
        for kind in case.kinds
        if pusher_role(case.provider, kind)
    ]
    marked: F = pytest.mark.parametrize(("case", "kind"), chosen)(test)
    return marked


def push(provider: Any, records: list[Record], attempt: str = "1") -> list[Any]:  # noqa: ANN401
    return sent(provider, [Push(record) for record in records], attempt)


def find(provider: Any, records: list[Record]) -> list[Remote | None]:  # noqa: ANN401
    verbs = pusher(provider, kind_of(records[0]))
    assert verbs is not None
    return verbs.find(records)


def only_if_it_can_be_asked(case: AnyCase) -> None:
    if case.provider.by_callback:
        pytest.skip("A go-between cannot be asked: it tells by its callback.")


def fit_to_show(words: str) -> bool:
    return words.isprintable() and 5 < len(words) < 500 and "<" not in words
