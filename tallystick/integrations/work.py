"""The work there is: connections with something due, one turn at a time; the inbox."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import InterfaceError, OperationalError
from django.db.models import Exists, F, OuterRef, Q

from tallystick.accounts.tenancy import TenantQuerySet
from tallystick.integrations import environment, inbox, sweeping
from tallystick.integrations.applying import Applying
from tallystick.integrations.connections import WORKING, Connection
from tallystick.integrations.inbound import InboundEvent
from tallystick.integrations.links import Link
from tallystick.integrations.pull import Catchup
from tallystick.integrations.pulls import Pull
from tallystick.integrations.push import PushRun
from tallystick.integrations.remote_records import RemoteRecord
from tallystick.integrations.stale import StaleFetch
from tallystick.integrations.subscribing import Subscribing
from tallystick.integrations.turns import Turn
from tallystick.kit import clock
from tallystick.ports.records import PUSH_ORDER, Kind
from tallystick.queue.clock import db_now
from tallystick.queue.crew import Crew, Stopping
from tallystick.queue.leases import is_free, owner_name
from tallystick.queue.registry import Budget, Queue, register
from tallystick.queue.schedules import schedule

EVENTS_AT_ONCE = 100


def connections_with_work() -> TenantQuerySet[Connection]:
    """Working, not resting, in nobody's hands, with something due; the longest unserved first."""
    mine = Q(connection=OuterRef("pk"))
    stale = Link.objects.stale().filter(mine)
    accepted = RemoteRecord.objects.filter(mine, match=RemoteRecord.Match.ACCEPTED)
    return (
        Connection.objects.everywhere()
        .filter(WORKING)
        .filter(Q(rests_until=None) | Q(rests_until__lte=db_now()))
        .filter(is_free())
        .filter(
            Exists(Link.objects.due().filter(mine))
            | Exists(stale)
            | Exists(Pull.due().filter(mine))
            | Exists(accepted)
        )
        .order_by(F("served_at").asc(nulls_first=True), "pk")
    )


def serve(turn: Turn, *, only: Sequence[Kind] = (), among: Q | None = None) -> bool:
    """One turn: first what changed there and what was decided about it, then what changed here, then
    the catch-up; of a new connection, what is there before anything is made there.

    `only`: push these kinds alone; `among`: of those the links that are so. Answers whether the
    connection was free to be served.
    """
    with turn.held() as client:
        if client is None:
            return False
        if not only:
            StaleFetch(turn).run()
        Catchup(turn).first(only)
        Applying(turn).run()
        for kind in only or PUSH_ORDER:
            PushRun(turn, kind, among).run()
        if not only:
            Catchup(turn).run()
            Subscribing(turn).run()
    return True


def serve_one(connection: Connection, stopping: Stopping) -> None:
    """A worker's turn of one connection. What goes wrong in it is told on the connection, and rests
    it when it does so again and again."""
    turn = Turn(connection, owner_name(), stopping=stopping)
    try:
        serve(turn)
    except (OperationalError, InterfaceError):  # it is away, and nothing can be noted there
        raise
    except Exception as error:
        connection.failed(clock.now(), f"An error of our own: {type(error).__name__}.")
        raise


crew = Crew(connections_with_work, serve_one)


def drain_inbox(budget: Budget) -> int:
    """Mark what kept events speak of, a hundred at a time."""
    done = 0
    while not budget.spent:
        events = InboundEvent.claim(EVENTS_AT_ONCE, owner_name(), 60)
        if not events:
            break
        inbox.process(events)
        done += len(events)
        budget.done += len(events)
    return done


def register_queues() -> None:
    schedule("environment-connections", every=60, run=environment.connect)
    schedule(sweeping.ROUTINE, every=3600, run=sweeping.sweep)
    register(Queue("inbox", InboundEvent.due, drain_inbox))
    register(Queue("connections", crew.has_work, crew.drain, crew.finish))
