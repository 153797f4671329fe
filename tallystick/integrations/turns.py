"""Turn: one stretch of work on one connection, under its lease.

A turn fetches what webhooks said has changed, pushes what is due, catches up where that is due, and
ends when nothing is left, its time is up, the provider's limits say so, or the way there is broken.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tallystick.events import Actor, ActorKind, acting
from tallystick.integrations import budgets, registry
from tallystick.integrations.clients import client_of
from tallystick.integrations.connections import BadCredentials, Connection
from tallystick.integrations.links import Link
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.results import Result, write_results
from tallystick.kit import clock, signing
from tallystick.ports.errors import (
    ProviderError,
    RateLimited,
    Unauthorized,
)
from tallystick.ports.metering import Limit
from tallystick.queue.leases import LeaseLost
from tallystick.queue.rows import State

logger = logging.getLogger(__name__)

LEASE_SECONDS = 30
TURN_SECONDS = 20.0
CALLS_AHEAD = 4
"""Calls drawn and queued at once, as a multiple of the provider's concurrency."""


class TurnOver(Exception):
    """Nothing more can be done on this connection now."""


class UsedUp(TurnOver):
    """... for we may not call; what was drawn before may still be used."""


@dataclass(slots=True)
class Progress:
    """What a watcher of a run is told after each write."""

    kind: str
    done: int = 0
    unchanged: int = 0
    failed: int = 0

    def count(self, results: Iterable[Result], log: SyncLog) -> None:
        """Add what became of links, here and in the run's log."""
        for result in results:
            if result.state == State.DEAD:
                self.failed += 1
                log.failed(result.label, result.last_error)
            elif result.state == State.DONE and result.fresh:
                self.done += 1
                log.synced_records += 1
            elif result.state == State.DONE:
                self.unchanged += 1
                log.unchanged_records += 1


Watcher = Callable[[Progress], None]


def _nobody(progress: Progress) -> None:
    del progress


@dataclass
class Turn:
    """`seconds`: for how long at most. `stopping` is asked between calls, `watcher` told of writes."""

    connection: Connection
    owner: str
    seconds: float = TURN_SECONDS
    stopping: Callable[[], bool] = lambda: False
    watcher: Watcher = _nobody
    allowance: int = field(default=0, init=False)
    ended_by: str = field(default="", init=False)
    client: registry.AnyProvider | None = field(default=None, init=False)
    _limits: dict[str, Limit] = field(default_factory=dict, init=False)
    _beat_due: datetime = field(default_factory=clock.now, init=False)

    @contextmanager
    def held(self) -> Iterator[registry.AnyProvider | None]:
        """The connection's client, while its lease is ours; None when the lease is not to be had,
        or when the connection must not be called now (`ended_by` says why).

        What ends the turn early is dealt with here: it is the connection's affair, not an error.
        """
        if not self.connection.acquire(self.owner, LEASE_SECONDS):
            yield None
            return
        # As it is under the lease: who found it free may have looked before it was told to rest.
        self.connection.refresh_from_db()
        client = self._client()
        if client is None:
            self.connection.release()
            yield None
            return
        self._begin(client)
        try:
            with acting(self._actor()):
                yield client if self._is_proven(client) else None
        except TurnOver as over:
            self.ended_by = str(over)
        except BadCredentials as error:
            self._malformed(error)
        except LeaseLost:
            logger.warning("connection %s: another worker took over", self.connection.pk)
        finally:
            self._end()

    # -- what the work asks of its turn

    def draw(self, calls: int = 1) -> None:
        """Take leave for so many calls; raises `UsedUp` or `TurnOver` when the limits or the time do
        not give them."""
        self.beat()
        if self.stopping() or clock.now() >= self._until:
            raise TurnOver
        # Of a limit that is less than a push takes, all there is will do.
        calls = min([calls, *(limit.calls for limit in self._limits.values())])
        while self.allowance < calls:
            ahead = self.connection.provider.concurrency * CALLS_AHEAD
            grant = budgets.draw(self._limits, ahead, clock.now())
            if not grant.calls:
                words = f"The {grant.limit} limit is used up."
                self._rest(grant.wait, words)
                raise UsedUp(words)
            self.allowance += grant.calls
        self.allowance -= calls
        self._drawn += calls

    def beat(self) -> None:
        """Keep the lease."""
        if clock.now() >= self._beat_due:
            self.connection.heartbeat(LEASE_SECONDS)
            self._beat_due = clock.now() + timedelta(seconds=LEASE_SECONDS / 3)

    def report(self, error: ProviderError) -> None:
        """A call said something about the way to the provider, not about a record."""
        if isinstance(error, RateLimited):
            self.limited(error)
        elif isinstance(error, Unauthorized):
            self.refused(error)
        else:
            self.failed(error)

    def limited(self, error: RateLimited) -> None:
        """Rest the connection as the provider says, and end the turn."""
        self._rest(error.retry_after, str(error))
        raise TurnOver(str(error))

    def failed(self, error: ProviderError) -> None:
        """A call did not get through; ends the turn when the connection has to rest."""
        self.connection.failed(clock.now(), str(error))
        if self.connection.is_out:
            raise TurnOver(str(error))

    def refused(self, error: Unauthorized) -> None:
        self.connection.refuse(str(error))
        raise TurnOver(str(error))

    def write(self, results: Sequence[Result]) -> None:
        """Store results, if the lease is still ours, and wake what waited for them."""
        done = [r.link_id for r in results if r.state == State.DONE]
        with self.connection.guard():
            write_results(results)
            if done:
                Link.objects.filter(connection=self.connection, waits_for__in=done).update(
                    due_at=clock.now(), waits_for=None, last_error=""
                )

    @contextmanager
    def logged(self, direction: SyncLog.Direction, sync_type: str) -> Iterator[SyncLog]:
        """A run's log, closed with the run's end, whatever ends it."""
        log = SyncLog.objects.create(
            connection=self.connection, direction=direction, sync_type=sync_type
        )
        stopped_by = "It was interrupted."
        try:
            yield log
            stopped_by = ""
        except TurnOver as over:
            stopped_by = str(over) or "It goes on in the next run."
            raise
        finally:
            log.close(provider_name=self.connection.provider.name, stopped_by=stopped_by)

    # -- its own beginning and end

    def _rest(self, seconds: float, words: str) -> None:
        self.connection.rest(clock.now() + timedelta(seconds=seconds), words)

    def _actor(self) -> Actor:
        """What comes back from a provider is the provider's doing."""
        name = self.connection.provider.name
        return Actor(ActorKind.PROVIDER, id=str(self.connection.pk), label=name)

    def _client(self) -> registry.AnyProvider | None:
        """None when it must not be called, or is refused for what its settings lack."""
        self.ended_by = self.connection.may_be_called()
        if self.ended_by:
            return None
        try:
            return client_of(self.connection)
        except BadCredentials as error:
            self._malformed(error)
            return None

    def _is_proven(self, client: registry.AnyProvider) -> bool:
        """Whether it leads to the company that its links speak of: seen before anything is sent."""
        try:
            if not self.connection.is_proven():
                self._prove(client)
        except BadCredentials as error:
            self._malformed(error)
            return False
        except TurnOver as over:
            self.ended_by = str(over)
            return False
        return True

    def _prove(self, client: registry.AnyProvider) -> None:
        account = ""
        if not self.connection.provider.by_callback:  # which cannot be asked
            self.draw()
            try:
                account = client.ping().id
            except ProviderError as error:
                self.report(error)
                raise TurnOver(str(error)) from error
            self.connection.answered()
        self.connection.led_to(account)

    def _malformed(self, error: BadCredentials) -> None:
        self.connection.refuse(f"Reconnect: {error}")
        self.connection.refresh_from_db()
        self.ended_by = self.connection.may_be_called()

    def _begin(self, client: registry.AnyProvider) -> None:
        now = clock.now()
        self._until = now + timedelta(seconds=self.seconds)
        self._beat_due = now + timedelta(seconds=LEASE_SECONDS / 3)
        self._limits = _limits_of(self.connection, client.limits)
        self._drawn = 0
        self.client = client
        self.started_at = now

    def _end(self) -> None:
        self._settle_budget()
        self._tell()
        self.connection.release()

    def _settle_budget(self) -> None:
        if not self.client:
            return
        made, stated = self.client.meter.take()
        unused = self.allowance + self._drawn - made
        budgets.settle(self._limits, unused=unused, stated=stated, now=clock.now())
        self.allowance = 0

    def _tell(self) -> None:
        """The connection's own summary, from this turn's logs."""
        logs = SyncLog.objects.filter(
            connection=self.connection, created_at__gte=self.started_at
        ).values_list("status", flat=True)
        statuses = set(logs)
        now = clock.now()
        values: dict[str, object] = {"served_at": now}
        if statuses and not self.connection.needs_reconnect:
            values["sync_status"] = _summary(statuses)
            values["last_synced_at"] = now
        Connection.objects.everywhere().filter(pk=self.connection.pk).update(**values)


def _summary(statuses: set[str]) -> str:
    if statuses == {SyncLog.Status.SUCCESS}:
        return Connection.SyncStatus.SUCCESS
    if SyncLog.Status.SUCCESS in statuses or SyncLog.Status.PARTIAL in statuses:
        return Connection.SyncStatus.PARTIAL
    return Connection.SyncStatus.ERROR


def _limits_of(connection: Connection, limits: Sequence[Limit]) -> dict[str, Limit]:
    """Each limit under the name of who shares it."""
    app = signing.digest(str(connection.custom_data.get("client_id", connection.uid)))[:32]
    return {
        f"{connection.type}:{limit.name}:"
        f"{app if limit.scope == 'app' else connection.uid.hex}": limit
        for limit in limits
    }
