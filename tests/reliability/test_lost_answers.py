"""R5: answers lost after the commit in 30 % of 1,000 creates of each kind; of 200 where a call takes
one record, and 1,000 with `R5=full make test-slow`."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest

from tallystick.billing.models import Allocation
from tallystick.integrations import sync
from tallystick.integrations.links import Link
from tallystick.ports.records import Kind
from tallystick.ports.sandboxing import Fault, FaultKind, Outgoing
from tallystick.queue.rows import State
from tests.reliability import controls
from tests.reliability.recording import CreatedUnseen
from tests.reliability.seeding import fill
from tests.reliability.site import Site
from tests.reliability.venues import venues

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

RECORDS = 1000
ONE_BY_ONE = RECORDS if os.environ.get("R5") == "full" else 200
"""Each try, callback and hour of waiting is a turn of its own."""
LOST = 0.3
SEEDS = {Kind.CUSTOMER: 1, Kind.PRODUCT: 2, Kind.INVOICE: 3, Kind.PAYMENT: 4}
WAYS_TO_LOSE = (FaultKind.LOST_ANSWER, FaultKind.RESET, FaultKind.TRUNCATED)
CASES = [
    pytest.param(venue, kind, id=f"{kind.value}-{venue.provider.type}")
    for venue in venues()
    for kind in SEEDS
    if kind in venue.ledgers
]
GO_BETWEENS = [venue for venue in venues() if venue.provider.by_callback]


def takes_batches(site: Site) -> bool:
    """A look for each of a batch is one call; where it is one for each, a thousand take a minute."""
    return bool(site.venue.provider.key_memory)


@pytest.fixture
def alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """One record a call and one call at a time: a seed replays to the letter. No keys, no limits."""
    monkeypatch.setattr(site.venue.provider, "batch_size", 1)
    monkeypatch.setattr(site.venue.provider, "concurrency", 1)
    monkeypatch.setattr(site.venue.provider, "limits", ())
    site.venue.lift_limits(site.stand)
    site.venue.forget_keys(site.stand, site.company)
    return site


def lose_answers(site: Site, kind: Kind) -> None:
    """Three in ten of the writes of `kind`, in every way there is."""
    random.seed(SEEDS[kind])
    site.stand.faults.reseed(SEEDS[kind])
    # Of three that strike one after another, together as often as is wanted.
    each = 1 - (1 - LOST) ** (1 / (len(WAYS_TO_LOSE)))
    for method in ("PUT", "POST"):
        for way in WAYS_TO_LOSE:
            site.stand.faults.switch_on(
                Fault(kind=way, method=method, path=site.venue.paths[kind], probability=each)
            )


def play(site: Site, kind: Kind, count: int) -> None:
    fill(site.website, kind, count)
    sync_all(site, but=kind)
    lose_answers(site, kind)
    mark(site, kind)
    site.settle(step=timedelta(seconds=20))


def sync_all(site: Site, *, but: Kind) -> None:
    """What records of the kind name is there already: those are not what is tried here."""
    for told in sync.registered():
        if told.kind != but:
            mark(site, told.kind)
    site.links().filter(kind=but.value).delete()
    site.settle()
    site.recorder.readings.clear()


def mark(site: Site, kind: Kind) -> None:
    for told in sync.registered():
        if told.kind == kind:
            objects = told.model._base_manager.filter(**{told.website_path: site.website})
            sync.mark_due(list(objects.select_related(*told.related)), [site.connection])


def require_once(site: Site, kind: Kind, count: int) -> None:
    made = site.made(kind)
    assert len(made) == count, f"{count - len(made)} were lost"
    doubled = [key for key, times in made.items() if times > 1]
    assert not doubled, f"{len(doubled)} were made twice"
    assert not site.links().exclude(state=State.DONE).exists()
    # Payments at Invoice Ninja are looked for through their invoices, which is not always told apart
    # from other reading; the server refuses a second of one idempotency key.
    if (site.venue.provider.type, kind) != ("INVOICE_NINJA", Kind.PAYMENT):
        site.recorder.require_looks()


@pytest.mark.parametrize(("venue", "kind"), CASES)
def test_a_lost_answer_makes_no_second(alone: Site, kind: Kind) -> None:
    count = RECORDS if takes_batches(alone) else ONE_BY_ONE
    play(alone, kind, count)
    struck = sum(armed.struck for armed in alone.stand.faults.armed())
    assert struck > count * LOST * 0.8
    require_once(alone, kind, count)


@pytest.mark.parametrize("kind", [Kind.CUSTOMER, Kind.PRODUCT])
@pytest.mark.parametrize("venue", GO_BETWEENS, ids=lambda venue: venue.provider.type)
def test_a_lost_callback_makes_no_second(alone: Site, kind: Kind) -> None:
    """Three in ten of them; each is awaited for an hour, then the same delivery is repeated."""
    losing = Losing(SEEDS[kind])
    alone.post = losing
    fill(alone.website, kind, ONE_BY_ONE)
    mark(alone, kind)
    alone.settle(step=timedelta(minutes=10))
    assert losing.lost > ONE_BY_ONE * LOST * 0.8
    require_once(alone, kind, ONE_BY_ONE)


@dataclass
class Losing:
    """A way on which callbacks are lost."""

    seed: int
    lost: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    def __call__(self, callbacks: Sequence[Outgoing]) -> Sequence[Outgoing]:
        kept = [each for each in callbacks if self._chance.random() >= LOST]
        self.lost += len(callbacks) - len(kept)
        return kept


@pytest.mark.parametrize(("venue", "kind"), CASES)
def test_without_the_look_it_would(alone: Site, kind: Kind) -> None:
    alone.post = Losing(SEEDS[kind])
    with controls.without_looking(alone.venue):
        play(alone, kind, 50)
    with pytest.raises(CreatedUnseen):
        alone.recorder.require_looks()
    if kind in alone.venue.tolerates_doubles:
        with pytest.raises(AssertionError, match="were made twice"):
            require_once(alone, kind, 50)


def test_whole_batches_are_looked_up_and_go_again_under_one_key(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the provider takes them, with its limits and its memory for keys."""
    if site.venue.provider.batch_size == 1:
        pytest.skip("it takes one record a call")
    monkeypatch.setattr(site.venue.provider, "concurrency", 1)
    play(site, Kind.PAYMENT, 300)
    assert sum(armed.struck for armed in site.stand.faults.armed())
    require_once(site, Kind.PAYMENT, 300)


def test_what_cannot_be_looked_up_for_a_day_is_shown_and_not_sent_again(alone: Site) -> None:
    if alone.venue.provider.by_callback:
        pytest.skip("it cannot be asked, and bears repeats")
    alone.settle()  # what is there is read before anything is sent
    path = alone.venue.paths[Kind.CUSTOMER]
    for method in ("PUT", "POST"):  # whichever creates
        lost = Fault(kind=FaultKind.LOST_ANSWER, method=method, path=path, times=1)
        alone.stand.faults.switch_on(lost)
    account = alone.customer()
    alone.serve()
    alone.stand.faults.switch_on(Fault(kind=FaultKind.STATUS, method="GET"))
    alone.settle(step=timedelta(minutes=15))
    link = Link.objects.get(connection=alone.connection, key=account.customer_key)
    assert link.state == State.DEAD
    assert "no answer came, and it could not be looked up for a day" in link.last_error
    assert alone.recorder.verbs()["create"] == 1
    assert alone.made(Kind.CUSTOMER) == {account.customer_key: 1}

    alone.stand.faults.clear()
    Link.objects.filter(pk=link.pk).revive()
    alone.settle()
    link.refresh_from_db()
    assert link.state == State.DONE
    assert alone.made(Kind.CUSTOMER) == {account.customer_key: 1}
    alone.recorder.require_looks()


def test_payments_add_up(alone: Site) -> None:
    """What the ledger counts is also what the books say."""
    if Kind.PAYMENT not in alone.venue.ledgers:
        pytest.skip("it is not told of payments")
    play(alone, Kind.PAYMENT, 100)
    paid = sum(allocation.amount for allocation in Allocation.objects.all())
    faces = alone.venue.faces(alone.stand, alone.company)
    there = sum(Decimal(face.says["paid"]) for face in faces if "paid" in face.says)
    assert there == paid == Decimal(100)
