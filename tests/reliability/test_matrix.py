"""R4: fifteen faults, every provider, four operations: no wrong cell."""

from __future__ import annotations

import random

import pytest

from tallystick.integrations import registry
from tests.reliability import controls
from tests.reliability.cells import play
from tests.reliability.matrix import DOCUMENT
from tests.reliability.operations import OPERATIONS, Create, Operation
from tests.reliability.site import Site
from tests.reliability.troubles import TROUBLES, Trouble
from tests.reliability.venues import venue_of, venues

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
def test_cell(site: Site, operation: type[Operation], trouble: Trouble) -> None:
    random.seed(4)
    play(site, operation(), trouble)


@pytest.mark.parametrize("name", ["time-out after the commit", "reset in the body"])
def test_without_the_look_the_cell_is_wrong(site: Site, name: str) -> None:
    (trouble,) = (each for each in TROUBLES if each.name == name)
    with controls.without_looking(), pytest.raises(AssertionError):
        play(site, Create(), trouble)


@pytest.mark.parametrize("provider", registry.PROVIDERS)
def test_every_provider_is_tried(provider: type[registry.AnyProvider]) -> None:
    assert venue_of(provider).provider is provider


def test_the_table_in_the_docs_has_every_cell() -> None:
    text = DOCUMENT.read_text()
    for venue in venues():
        part = text.partition(f"## {venue.provider.name}\n")[2].partition("\n## ")[0]
        rows = [line.split("|")[1:-1] for line in part.splitlines() if line.startswith("| ")]
        assert [row[0].strip() for row in rows] == ["fault", *(t.name for t in TROUBLES)]
        assert all(len(row) == len(OPERATIONS) + 2 and all(row) for row in rows)
