"""R4, the last column: while one connection is in trouble, another's record goes out within 2 s.

On the real clock and with the worker's own loop: what takes a provider's time takes ours.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

import httpx2
import pytest

from tallystick.accounts.models import Account
from tallystick.integrations import clients
from tallystick.integrations.connections import Connection
from tallystick.integrations.work import crew
from tallystick.people.models import User
from tallystick.ports.records import Kind
from tallystick.ports.sandboxing import FaultKind, Stand, transport
from tallystick.queue.registry import registered
from tallystick.queue.stopping import Stop
from tallystick.queue.worker import Worker
from tests.reliability.site import connect, new_website
from tests.reliability.troubles import OF_CALLBACKS, TROUBLES, Trouble, troubles_of
from tests.reliability.venues import Venue, venues

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

MOST_SECONDS = 2.0
PATIENCE = 10.0
SLOW = {FaultKind.BLACK_HOLE, FaultKind.LOST_ANSWER, FaultKind.SLOW_BODY}


class TooLate(AssertionError):
    """It did not happen in time."""


class Held(httpx2.BaseTransport):
    """A provider in trouble: where that takes time, a call takes until `released`."""

    def __init__(self, stand: Stand, *, is_slow: bool) -> None:
        self._inner = transport(stand)
        self._is_slow = is_slow
        self.entered = threading.Event()
        self.released = threading.Event()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.entered.set()
        if self._is_slow:
            self.released.wait(PATIENCE)
        return self._inner.handle_request(request)


TROUBLED = [
    pytest.param(venue, trouble, id=f"{trouble.name}-{venue.provider.type}")
    for venue in venues()
    for trouble in troubles_of(venue)
    if trouble not in OF_CALLBACKS
]


@pytest.mark.parametrize(("venue", "trouble"), TROUBLED)
def test_another_is_not_delayed(venue: Venue, trouble: Trouble) -> None:
    assert _delay(venue, trouble) <= MOST_SECONDS


def test_one_at_a_time_it_would_be(venue: Venue) -> None:
    (trouble,) = (each for each in TROUBLES if each.name == "black hole")
    with mock.patch.object(crew, "_width", 1), pytest.raises(TooLate):
        _delay(venue, trouble)


def _delay(venue: Venue, trouble: Trouble) -> float:
    """Seconds from the commit of a record until it is at the provider, as its ledger says."""
    is_slow = any(fault.kind in SLOW for fault in trouble.strikes)
    bad, good = venue.stand_class(), venue.stand_class()
    held = Held(bad, is_slow=is_slow)
    ways: dict[int, httpx2.BaseTransport] = {}
    with clients.using(lambda connection: ways[connection.pk]):
        in_trouble, other = (
            _connection(venue, bad, "birkenhof"),
            _connection(venue, good, "lindenhof"),
        )
        ways.update({in_trouble.pk: held, other.pk: transport(good)})
        for fault in trouble.strikes:
            bad.faults.switch_on(fault)
        if trouble.name == "permission revoked":
            venue.refuse(bad, venue.company(venue.describe(bad)))
        for number in range(20):
            _customer(in_trouble, f"user{number}")
        with _working(held):
            _await(held.entered.is_set)
            account = _customer(other, "anna")
            began = time.monotonic()
            kind = venue.ledgers[Kind.CUSTOMER]
            _await(lambda: account.customer_key in good.ledger.counts(kind), most=MOST_SECONDS)
            return time.monotonic() - began


def _connection(venue: Venue, stand: Stand, name: str) -> Connection:
    website = new_website(name, is_default=False)
    return connect(venue, website, venue.company(venue.describe(stand)))


def _customer(connection: Connection, name: str) -> Account:
    user = User.objects.create_user(name, f"{name}@example.org")
    return Account.objects.create(user=user, website=connection.website)


@contextmanager
def _working(held: Held) -> Iterator[None]:
    """The embedded worker, in a thread of this process."""
    from django.db import connection

    stop = Stop()

    def work() -> None:
        try:
            Worker(registered(["inbox", "connections"]), stop).run()
        finally:
            connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        stop.ask()
        held.released.set()
        worker.join(PATIENCE)
        assert not worker.is_alive()


def _await(condition: Callable[[], bool], *, most: float = PATIENCE) -> None:
    until = time.monotonic() + most
    while not condition():
        if time.monotonic() > until:
            raise TooLate
        time.sleep(0.01)
