"""R4: fifteen faults, every provider, four operations: no wrong cell."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial

import pytest

from tallystick.integrations import registry
from tallystick.ports.sandboxing import Outgoing
from tests.reliability import controls
from tests.reliability.cells import play
from tests.reliability.matrix import DOCUMENT
from tests.reliability.operations import Create, Operation, operations_of
from tests.reliability.site import Site, as_they_are
from tests.reliability.troubles import TROUBLES, Trouble, troubles_of
from tests.reliability.venues import venue_of, venues

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


CELLS = [
    pytest.param(
        venue, operation, trouble, id=f"{trouble.name}-{operation.name}-{venue.provider.type}"
    )
    for venue in venues()
    for operation in operations_of(venue)
    for trouble in troubles_of(venue)
]


@pytest.mark.parametrize(("venue", "operation", "trouble"), CELLS)
def test_cell(site: Site, operation: type[Operation], trouble: Trouble) -> None:
    random.seed(4)
    play(site, operation(), trouble)


@pytest.mark.parametrize("name", ["time-out after the commit", "reset in the body"])
def test_without_the_look_the_cell_is_wrong(site: Site, name: str) -> None:
    (trouble,) = (each for each in TROUBLES if each.name == name)
    site.venue.forget_keys(site.stand, site.company)
    site.post = partial(_first_lost, site)
    with controls.without_looking(site.venue), pytest.raises(AssertionError):
        play(site, Create(), trouble)
    assert site.stand.ledger.doubled()


def _first_lost(site: Site, callbacks: Sequence[Outgoing]) -> Sequence[Outgoing]:
    """A callback would tell in time what the answer did not."""
    if callbacks:
        site.post = as_they_are
    return ()


@pytest.mark.parametrize("provider", registry.PROVIDERS)
def test_every_provider_is_tried(provider: type[registry.AnyProvider]) -> None:
    assert venue_of(provider).provider is provider


def test_the_table_in_the_docs_has_every_cell() -> None:
    text = DOCUMENT.read_text()
    for venue in venues():
        part = text.partition(f"## {venue.provider.name}\n")[2].partition("\n## ")[0]
        rows = [line.split("|")[1:-1] for line in part.splitlines() if line.startswith("| ")]
        there = [*(trouble.name for trouble in troubles_of(venue)), *venue.lacks]
        assert [row[0].strip() for row in rows] == ["fault", *there]
        assert all(len(row) == len(operations_of(venue)) + 2 and all(row) for row in rows)
