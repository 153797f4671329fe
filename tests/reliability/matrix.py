"""R4, the fault matrix as a document, docs/reliability.md:

python -m tests.reliability.matrix
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from tests.reliability.cells import Cell
    from tests.reliability.operations import Operation
    from tests.reliability.troubles import Trouble
    from tests.reliability.venues import Venue

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django.conf import settings
    from django.test.utils import get_runner, setup_test_environment

    from tests.reliability.venues import venues

    setup_test_environment()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        DOCUMENT.write_text(document(table(venue) for venue in venues()))
    finally:
        runner.teardown_databases(databases)


def document(tables: Iterable[str]) -> str:
    return "\n".join(
        [
            "# What happens when a provider fails",
            "",
            "Written by `python -m tests.reliability.matrix`, which plays each cell against the",
            "sandbox on a virtual clock, and by which it can be written again. In every cell: after",
            "the fault both sides hold the same, each thing once by the sandbox's own ledger; nothing",
            "was given up; nothing was sent more often than the faults explain; what happened can be",
            "read on the connection, the record or the run's log; and another connection's record",
            "went out within 2 s meanwhile (`tests/reliability/test_neighbours.py`). A cell shows",
            "the calls it took and the minutes from the end of the fault until both sides were",
            "equal; the last column quotes what a person reads. A go-between is not pulled from and",
            "sends no webhooks, but calls back: in its third column callbacks of what was first sent",
            "come late, out of order and twice while newer content goes out under the fault.",
            "",
            *tables,
        ]
    )


def table(venue: Venue) -> str:
    from tests.reliability.operations import operations_of
    from tests.reliability.troubles import troubles_of

    operations = operations_of(venue)
    names = [operation.name for operation in operations]
    lines = [f"## {venue.provider.name}", "", f"| fault | {' | '.join(names)} | it says |"]
    lines.append("|---" * (len(names) + 2) + "|")
    for trouble in troubles_of(venue):
        cells = [played(venue, operation, trouble) for operation in operations]
        said = next((cell.words for cell in cells if cell.words), "-")
        shown = [f"{cell.calls} calls, {cell.minutes:.0f} min" for cell in cells]
        lines.append(f"| {trouble.name} | {' | '.join(shown)} | {said} |")
    lines += [
        f"| {name} |{' |' * len(names)} not here: {why} |" for name, why in venue.lacks.items()
    ]
    return "\n".join([*lines, ""])


def played(venue: Venue, operation: type[Operation], trouble: Trouble) -> Cell:
    """The cell, in a database that forgets it afterwards."""
    from django.db import transaction

    from tests.reliability.cells import play
    from tests.reliability.site import open_site

    random.seed(4)
    with transaction.atomic():
        with open_site(venue) as site:
            cell = play(site, operation(), trouble)
        transaction.set_rollback(True)
    return cell


if __name__ == "__main__":
    main()
