"""R1: workers killed while they push; the sandbox, which nobody kills, says what came of it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tallystick.accounts.models import Account
from tallystick.billing.models import Allocation, Product
from tallystick.integrations import sync
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.ports.records import Kind
from tallystick.ports.sandboxing import FaultKind
from tallystick.queue.rows import State
from tallystick.queue.tests.processes import database_url
from tallystick.sandbox.running import Running, StandClient
from tests.reliability import seeding
from tests.reliability.site import connect, new_website
from tests.reliability.venues import Company, Venue
from tests.reliability.web import WebProcess, web
from tests.reliability.worker import LATENCY

ROOT = Path(__file__).resolve().parents[2]
LEASE = 1.5
SETTLE_SECONDS = 60.0
PATIENCE = 60.0
WEB_TOO = 10
"""Kills of a worker to one of the web server, where that hears callbacks."""


class NotInTime(AssertionError):
    """It did not happen."""


@dataclass(frozen=True)
class Plan:
    """`lease` None is the product's own. `spread`: the kills go over all of the work, which is made
    once; without it work is added as long as there are kills to come."""

    records: int = 600
    kills: int = 15
    workers: int = 1
    broker: str = ""
    keys: bool = True
    batch: int = 3
    seed: int = 20261121
    lease: float | None = LEASE
    without: str = ""
    spread: bool = False
    in_flight: int = 0
    """Calls at once; 0: as many as the provider is sent usually."""


@dataclass
class Report:
    lost: int
    doubled: int
    open: int
    kills: int
    web_kills: int
    calls: int
    seconds_to_settle: float

    def require_clean(self) -> None:
        assert self.lost == 0, f"{self.lost} lost"
        assert self.doubled == 0, f"{self.doubled} made twice"
        assert self.open == 0, f"{self.open} not settled {self.seconds_to_settle:.0f} s later"
        assert self.seconds_to_settle <= SETTLE_SECONDS


class WorkerProcess:
    """A worker in a process group of its own."""

    def __init__(self, plan: Plan, **environment: str) -> None:
        own = {
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "CELERY_BROKER_URL": plan.broker,
            "RELIABILITY_BATCH": str(plan.batch),
            "RELIABILITY_IN_FLIGHT": str(plan.in_flight),
            "RELIABILITY_WITHOUT": plan.without,
            "LOG_LEVEL": "ERROR",
        }
        if plan.lease:
            own["RELIABILITY_LEASE"] = str(plan.lease)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.worker"],
            cwd=ROOT,
            env={**os.environ, **own, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.pid = self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, seconds: float = PATIENCE) -> int:
        return self._process.wait(seconds)

    def kill(self) -> None:
        """SIGKILL to the whole group: no time for a last word."""
        if self.is_running:
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


@dataclass
class Siege:
    """One plan against one company of the sandbox."""

    plan: Plan
    venue: Venue
    client: StandClient
    company: Company
    connection: Connection
    web: WebProcess | None = None
    """Who hears a go-between's callbacks."""
    kills: int = 0
    web_kills: int = 0
    marked: int = 0
    workers: list[WorkerProcess] = field(default_factory=list)

    # -- the work

    def mark(self, count: int) -> None:
        """More of every kind, in the venue's parts."""
        parts = self.venue.besieged
        for kind, part in parts.items():
            told = _told(kind)
            ours = told.model._base_manager.filter(**{told.website_path: self.connection.website})
            before = set(ours.values_list("pk", flat=True))
            share = count * part // sum(parts.values())
            seeding.fill(self.connection.website, kind, share, start=self.marked)
            fresh = ours.exclude(pk__in=before).select_related(*told.related)
            sync.mark_due(list(fresh), [self.connection])
        self.marked += count

    def wanted(self) -> dict[Kind, set[str]]:
        site = self.connection.website_id
        keys = {
            Kind.CUSTOMER: (account.customer_key for account in Account.objects.of(site)),
            Kind.PRODUCT: (self.venue.product_key(each) for each in Product.objects.of(site)),
            Kind.PAYMENT: (
                f"y-{uid.hex}"
                for uid in Allocation.objects.filter(invoice__website=site).values_list(
                    "uid", flat=True
                )
            ),
        }
        return {kind: set(keys[kind]) for kind in self.venue.besieged}

    def made(self) -> dict[Kind, Counter[str]]:
        return {
            kind: Counter(
                self.client.ledger(self.venue.ledgers[kind], account=self.company.account)
            )
            for kind in self.venue.besieged
        }

    def open(self) -> int:
        return Link.objects.filter(connection=self.connection).exclude(state=State.DONE).count()

    def calls(self) -> int:
        return sum(self.client.counts().values())

    # -- the workers

    def start(self, **environment: str) -> WorkerProcess:
        worker = WorkerProcess(self.plan, **environment)
        self.workers.append(worker)
        return worker

    def end(self) -> None:
        for worker in self.workers:
            worker.kill()
        self.workers.clear()

    def kill_at_random(self) -> None:
        """As often as planned, one of them, at a moment when calls are under way."""
        chance = random.Random(self.plan.seed)
        crew = [self.start() for _ in range(self.plan.workers)]
        while self.kills < self.plan.kills:
            before = self.calls()
            self.await_(partial(self._has_moved, before))
            if self.plan.spread:
                self.await_(self._is_far_enough, PATIENCE * 5)
            elif not self.open():
                self.mark(self.plan.records // 3)
                continue
            time.sleep(chance.uniform(0, 3 * LATENCY))
            victim = self._victim(crew, chance)
            crew[victim].kill()
            self.kills += 1
            crew[victim] = self.start()
            if self.web and self.kills % WEB_TOO == 0:
                self.web.kill()
                self.web_kills += 1
                self.web.start()

    def _is_far_enough(self) -> bool:
        """Whether so much of the work is done that the next kill is due."""
        return self.open() < self.marked * (1 - self.kills / (self.plan.kills + 1))

    def _victim(self, crew: Sequence[WorkerProcess], chance: random.Random) -> int:
        """Every other time the one at work: the others are often still starting."""
        drawn, at_work = chance.randrange(len(crew)), chance.random() < 1 / 2
        self.connection.refresh_from_db(fields=["lease_owner"])
        owners = [f":{worker.pid}:" in self.connection.lease_owner for worker in crew]
        return owners.index(True) if at_work and any(owners) else drawn

    def _has_moved(self, before: int) -> bool:
        return self.calls() > before or not self.open()

    def kill_at(self, point: str) -> None:
        """One that kills itself where it is told to."""
        worker = self.start(RELIABILITY_DIE=point)
        assert worker.wait() == -signal.SIGKILL
        self.kills += 1

    def settle(self, *, restart: bool = False) -> Report:
        """Wait until nothing is left; then ask the sandbox."""
        if restart:
            self.start()
        began = time.monotonic()
        while self.open() and time.monotonic() - began < SETTLE_SECONDS:
            time.sleep(0.1)
        return self.report(time.monotonic() - began)

    def report(self, took: float = 0.0) -> Report:
        """What the sandbox says now."""
        made, wanted = self.made(), self.wanted()
        return Report(
            lost=sum(len(wanted[kind] - made[kind].keys()) for kind in wanted),
            doubled=sum(n > 1 for counts in made.values() for n in counts.values()),
            open=self.open(),
            kills=self.kills,
            web_kills=self.web_kills,
            calls=self.calls(),
            seconds_to_settle=took,
        )

    @staticmethod
    def await_(condition: Callable[[], object], patience: float = PATIENCE) -> None:
        until = time.monotonic() + patience
        while not condition():
            if time.monotonic() > until:
                raise NotInTime
            time.sleep(0.02)


@contextmanager
def besieged(plan: Plan, venue: Venue, sandbox: Running) -> Iterator[Siege]:
    """A connected website with work, and no worker yet."""
    client = sandbox.stand(venue.stand_class.name)
    client.reset()
    company = venue.company(venue.open_running(client, keys=plan.keys), url=client.url)
    client.fault(FaultKind.LATENCY, seconds=LATENCY, path=venue.api_path)
    connection = connect(venue, new_website(), company)
    with listening(venue, client) as heard_by:
        siege = Siege(plan, venue, client, company, connection, heard_by)
        siege.mark(plan.records)
        try:
            yield siege
        finally:
            siege.end()


@contextmanager
def listening(venue: Venue, client: StandClient) -> Iterator[WebProcess | None]:
    """The site's own web server for the callbacks of a go-between."""
    if not venue.provider.by_callback:
        yield None
        return
    with web() as process:
        venue.calls_back(client, process.url)
        yield process


def _told(kind: Kind) -> sync.ModelSync:
    return next(told for told in sync.registered() if told.kind == kind)


def run(plan: Plan, venue: Venue, sandbox: Running) -> Report:
    """The whole of it: random kills, then time to settle."""
    with besieged(plan, venue, sandbox) as siege:
        siege.kill_at_random()
        return siege.settle()
