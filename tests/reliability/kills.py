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
from tallystick.billing.models import Allocation
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
from tests.reliability.worker import LATENCY

ROOT = Path(__file__).resolve().parents[2]
LEASE = 1.5
SETTLE_SECONDS = 60.0
PATIENCE = 60.0


class NotInTime(AssertionError):
    """It did not happen."""


@dataclass(frozen=True)
class Plan:
    """`lease` None is the product's own."""

    records: int = 600
    kills: int = 15
    workers: int = 1
    broker: str = ""
    keys: bool = True
    batch: int = 3
    seed: int = 20261121
    lease: float | None = LEASE
    without: str = ""


@dataclass
class Report:
    lost: int
    doubled: int
    open: int
    kills: int
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
    kills: int = 0
    workers: list[WorkerProcess] = field(default_factory=list)

    # -- the work

    def mark(self, count: int) -> None:
        """A third customers, the rest payments, of which the provider takes any number."""
        website = self.connection.website
        customers = seeding.customers(website, count // 3)
        before = set(Allocation.objects.values_list("pk", flat=True))
        seeding.payments(website, count - len(customers))
        paid = Allocation.objects.exclude(pk__in=before).select_related("payment", "invoice")
        for objects in (customers, list(paid)):
            sync.mark_due(objects, [self.connection])

    def wanted(self) -> dict[Kind, set[str]]:
        accounts = Account.objects.of(self.connection.website_id)
        paid = Allocation.objects.filter(invoice__website=self.connection.website_id)
        return {
            Kind.CUSTOMER: {account.customer_key for account in accounts},
            Kind.PAYMENT: {f"y-{allocation.uid.hex}" for allocation in paid},
        }

    def made(self) -> dict[Kind, Counter[str]]:
        return {
            kind: Counter(
                self.client.ledger(self.venue.ledgers[kind], account=self.company.account)
            )
            for kind in (Kind.CUSTOMER, Kind.PAYMENT)
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
            if not self.open():
                self.mark(self.plan.records // 3)
                continue
            time.sleep(chance.uniform(0, 3 * LATENCY))
            victim = self._victim(crew, chance)
            crew[victim].kill()
            self.kills += 1
            crew[victim] = self.start()

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
        took = time.monotonic() - began
        made, wanted = self.made(), self.wanted()
        return Report(
            lost=sum(len(wanted[kind] - made[kind].keys()) for kind in wanted),
            doubled=sum(n > 1 for counts in made.values() for n in counts.values()),
            open=self.open(),
            kills=self.kills,
            calls=self.calls(),
            seconds_to_settle=took,
        )

    @staticmethod
    def await_(condition: Callable[[], object]) -> None:
        until = time.monotonic() + PATIENCE
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
    siege = Siege(plan, venue, client, company, connection)
    siege.mark(plan.records)
    try:
        yield siege
    finally:
        siege.end()


def run(plan: Plan, venue: Venue, sandbox: Running) -> Report:
    """The whole of it: random kills, then time to settle."""
    with besieged(plan, venue, sandbox) as siege:
        siege.kill_at_random()
        return siege.settle()
