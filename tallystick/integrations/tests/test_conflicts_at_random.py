"""Whatever happens on the two sides, and in whatever order: they agree or a difference is shown, the
right side wins, and nothing goes to and fro."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick.integrations import bringing
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.integrations.retrying import retry
from tallystick.integrations.sync import CannotApply
from tallystick.integrations.tests.ninja import connected
from tallystick.integrations.tests.test_conflicts import MINUTE, Ruled, superadmin
from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock

Step = Callable[[Ruled], object]
FIELDS = {"city": "city", "tax_number": "vat_number", "line1": "address1"}
"""Here -> there."""
LEFT_SHOWN = {"ask", "remote_wins"}


def edit(side: str, field: str, value: str, ruled: Ruled) -> None:
    if side == "here":
        ruled.edit_here(**{field: value})
    else:
        ruled.edit_there(**{FIELDS[field]: value})


def put_away(ruled: Ruled) -> None:
    ruled.clock.advance(MINUTE)
    ruled.site.stand.archive_client(ruled.row()["id"])


def bring_back(ruled: Ruled) -> None:
    ruled.clock.advance(MINUTE)
    ruled.site.stand.restore_client(ruled.row()["id"])


def take_theirs(ruled: Ruled) -> None:
    with suppress(CannotApply):
        bringing.take_theirs(ruled.link(), superadmin())


def send_ours(ruled: Ruled) -> None:
    retry(Link.objects.exclude(difference=""), force=True)


def serve(ruled: Ruled) -> None:
    ruled.clock.advance(MINUTE)
    ruled.site.serve()


EDITS = st.builds(
    partial,
    st.just(edit),
    st.sampled_from(["here", "there"]),
    st.sampled_from(list(FIELDS)),
    st.sampled_from(["", "A", "B"]),
)
BETWEEN: list[Step] = [Ruled.hear, serve, Ruled.catch_up, take_theirs, send_ours]
STEPS = st.lists(
    st.one_of(EDITS, EDITS, st.sampled_from(BETWEEN), st.sampled_from([put_away, bring_back])),
    max_size=12,
)


def sides(ruled: Ruled) -> tuple[dict[str, Any], dict[str, Any]]:
    account, row = ruled.anna(), ruled.row()
    here = {name: getattr(account, name) for name in FIELDS} | {"active": True}
    there = {name: row.get(other, "") for name, other in FIELDS.items()}
    return here, there | {"active": not row.get("archived_at")}


def check(rule: str, ruled: Ruled) -> None:
    ruled.catch_up(2)
    here, there = sides(ruled)
    shown = ruled.link().difference
    assert shown or here == there
    assert rule in LEFT_SHOWN or not shown
    assert ruled.sent(ruled.catch_up) == 0
    assert sides(ruled) == (here, there)


def probe(rule: str, ruled: Ruled) -> None:
    """A last change there, and none here."""
    before, _ = sides(ruled)
    edit("there", "city", "Z", ruled)
    ruled.catch_up(2)
    here, there = sides(ruled)
    won = {"ask": (before["city"], "Z"), "remote_wins": ("Z", "Z")}
    assert (here["city"], there["city"]) == won.get(rule, (before["city"],) * 2)
    assert rule != "ask" or "City “Z” there" in ruled.link().difference or not there["active"]
    assert rule != "local_wins" or here == there == before


def lived_through(rule: str, steps: list[Step]) -> None:
    with clock.use(VirtualClock()) as now, connected(now) as site:
        ruled = Ruled(site, now).by(rule)
        for step in steps:
            step(ruled)
        check(rule, ruled)
        probe(rule, ruled)
        check(rule, ruled)


def at_random(rule: str, examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        database=None,
    )
    @given(STEPS)
    def lives(steps: list[Step]) -> None:
        with transaction.atomic():
            lived_through(rule, steps)
            transaction.set_rollback(True)

    lives()


here, there = partial(partial, edit, "here"), partial(partial, edit, "there")
AND_BACK: list[list[Step]] = [
    [there("city", "A"), Ruled.hear, here("city", "B"), serve, take_theirs],
    [here("line1", "A"), serve, there("line1", ""), here("city", "B"), Ruled.hear, send_ours],
    [there("city", "A"), here("tax_number", "B"), Ruled.hear, serve, there("city", "")],
    [put_away, Ruled.hear, here("city", "B"), serve, bring_back],
    [here("city", "A"), there("city", "A"), Ruled.hear, there("city", "B"), here("city", "")],
]


@pytest.mark.django_db
@pytest.mark.parametrize("steps", AND_BACK)
@pytest.mark.parametrize("rule", Connection.ConflictRule.values)
def test_some_lives(rule: str, steps: list[Step]) -> None:
    lived_through(rule, steps)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("rule", Connection.ConflictRule.values)
def test_any_life(rule: str) -> None:
    at_random(rule, 30)
