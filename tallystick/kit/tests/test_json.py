from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.kit.json import canonical, pieces

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=20,
)


@given(values)
def test_what_is_written_reads_back(value: object) -> None:
    assert json.loads(canonical(value)) == value


@given(
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(), min_size=2)
)
def test_the_order_of_the_keys_does_not_matter(value: dict[str, int]) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)


def test_one_spelling() -> None:
    assert canonical({"b": [1, "é"], "a": None}) == '{"a":null,"b":[1,"é"]}'.encode()


def test_exact_values_are_written_as_text() -> None:
    assert canonical(Decimal("1E+2")) == b'"100"'
    assert canonical(Decimal("0.10")) == b'"0.10"'
    assert canonical(date(2026, 1, 2)) == b'"2026-01-02"'
    assert canonical(datetime(2026, 1, 2, tzinfo=UTC)) == b'"2026-01-02T00:00:00+00:00"'
    assert canonical(uuid.UUID(int=1)) == b'"00000000-0000-0000-0000-000000000001"'


def test_what_has_no_spelling_is_refused() -> None:
    with pytest.raises(TypeError, match="object cannot be written"):
        canonical(object())


def test_a_document_in_pieces_is_one_document() -> None:
    seen: list[int] = []

    def rows() -> Iterator[object]:
        for number in range(3):
            seen.append(number)
            yield {"price": Decimal("1.50"), "number": number}

    document = {"a": {"b": None}, "rows": rows(), "none": iter(()), "count": lambda: len(seen)}
    text = "".join(pieces(document))
    assert json.loads(text) == {
        "a": {"b": None},
        "rows": [{"price": "1.50", "number": number} for number in range(3)],
        "none": [],
        "count": 3,
    }


def test_an_empty_document_in_pieces() -> None:
    assert json.loads("".join(pieces({}))) == {}
