"""Finding: one thing that is not as it should be. Check: who looks for a kind of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from django.db import models

from tallystick.accounts.models import Website


@dataclass(frozen=True, slots=True)
class Finding:
    """`thing` is which object, `field` what of it, `advice` what to do."""

    thing: str
    field: str
    expected: str
    found: str
    advice: str

    def __str__(self) -> str:
        return (
            f"{self.thing}: {self.field}: expected {self.expected}, found {self.found}. "
            f"{self.advice}"
        )


Look: TypeAlias = Callable[[Sequence[Website]], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """`look` yields what is wrong at some websites, in memory bounded by the page. `at_once`: all of
    it is to be read as at one moment."""

    name: str
    look: Look
    at_once: bool = True


def differs(
    row: models.Model, field: str, expected: object, found: object, advice: str
) -> Iterator[Finding]:
    """A finding where the two are not the same."""
    if expected != found:
        yield Finding(name_of(row), field, spelled(expected), spelled(found), advice)


def name_of(row: models.Model) -> str:
    """Which row: its kind, what people call it, and the id by which it is found."""
    uid = getattr(row, "uid", None) or row.pk
    known = getattr(row, "number", "") or getattr(row, "reference_id", "")
    return f"{row._meta.verbose_name} {f'{known} ({uid})' if known else uid}"


def spelled(value: object) -> str:
    # Amounts come with four places from one database and with none from a sum of the other.
    return f"{value.normalize():f}" if hasattr(value, "normalize") else str(value)
