from __future__ import annotations

import logging
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings

from tallystick.accounts.models import Website
from tallystick.billing.models import Product
from tallystick.integrations import clients
from tallystick.integrations.connections import Connection
from tallystick.integrations.invoice_ninja import settling
from tallystick.integrations.invoice_ninja.callbacks import Callback
from tallystick.integrations.links import Link
from tallystick.integrations.retrying import retry
from tallystick.integrations.turns import Turn
from tallystick.integrations.work import serve
from tallystick.kit.clock import VirtualClock
from tallystick.people.models import User
from tallystick.ports.sandboxing import Fault, FaultKind, transport
from tallystick.providers.relay.sandbox import RelayStand
from tallystick.queue.leases import owner_name


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.getMessage()}")

    def taken(self) -> list[str]:
        lines, self.lines = self.lines, []
        return lines

    def words(self) -> list[str]:
        """The beginning of each line, and what was the reason."""
        return [
            f"{line.partition(' connection=')[0]} {line.partition(' reason=')[2]}"
            for line in self.taken()
        ]


@pytest.fixture
def log() -> Iterator[Lines]:
    logger, handler = logging.getLogger("tallystick.invoice_ninja"), Lines()
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


@pytest.fixture
def stand(now: VirtualClock) -> Iterator[RelayStand]:
    stand = RelayStand(now)
    with clients.using(lambda connection: transport(stand)):
        yield stand


@pytest.fixture
def connection(transactional_db: None, stand: RelayStand) -> Connection:
    website = Website.objects.create(
        name="Lindenhof", domain="lindenhof.example", currency="EUR", country="DE", is_default=True
    )
    return Connection.objects.create(
        website=website,
        type="INVOICE_NINJA_RELAY",
        name="Relay",
        credentials={"webhook_secret": stand.secret},
        custom_data={"webhook_url": stand.webhook_url},
    )


@pytest.fixture
def anna(connection: Connection) -> User:
    return User.objects.create_user(
        "anna", "anna@example.org", first_name="Anna", last_name="Becker", phone_number="+49 30 1"
    )


def run(connection: Connection) -> None:
    fresh = Connection.objects.everywhere().get(pk=connection.pk)
    assert serve(Turn(fresh, owner_name()))


def test_each_step_has_its_line(connection: Connection, anna: User, log: Lines) -> None:
    run(connection)
    link = Link.objects.get()
    sent, accepted = log.taken()
    ids = f"connection={connection.pk} link={link.pk} local=accounts.Account:{link.local_id}"
    rest = f"remote=- attempt=1 delivery={link.attempt_key} reason=-"
    assert sent == f"INFO sent {ids} {rest}"
    assert accepted == f"INFO accepted {ids} {rest}"
    settling.settle(link, Callback(success=True, remote_id="Wpmbk5ezJn"))
    (confirmed,) = log.taken()
    assert confirmed.startswith(f"INFO confirmed {ids} remote=Wpmbk5ezJn attempt=1")


def test_a_failure_says_of_what_kind_and_nothing_of_the_person(
    connection: Connection, anna: User, stand: RelayStand, log: Lines, now: VirtualClock
) -> None:
    stand.faults.switch_on(Fault(kind=FaultKind.STATUS, status=500, times=1))
    run(connection)
    sent, failed = log.taken()
    assert failed.startswith("WARNING failed connection=")
    assert failed.rpartition(" reason=")[2] in {"Unavailable", "Uncertain"}
    for line in (sent, failed):
        for secret in ("anna", "Anna", "Becker", "example.org", "+49", stand.secret):
            assert secret not in line
    Link.objects.update(due_at=now.now())
    run(connection)
    assert log.words() == ["INFO retried -", "INFO accepted -"]


def test_what_the_relay_tells_of_a_failure_is_told(
    connection: Connection, anna: User, log: Lines
) -> None:
    run(connection)
    log.taken()
    link = Link.objects.get()
    settling.settle(link, Callback(success=False, message="Anna Becker is known", retry=True))
    link.refresh_from_db()
    settling.settle(link, Callback(success=False, message="Anna Becker is not wanted"))
    assert log.words() == ["WARNING failed ToldByRelay", "ERROR given up ToldByRelay"]
    retry(Link.objects.all())
    assert log.words() == ["INFO retried ByHand"]


def test_without_a_callback_it_is_given_up_in_the_end(
    connection: Connection, anna: User, log: Lines, now: VirtualClock
) -> None:
    Connection.objects.everywhere().update(
        custom_data={**connection.custom_data, "max_attempts": 1}
    )
    run(connection)
    log.taken()
    Link.objects.update(due_at=now.now())
    run(connection)
    assert log.words() == ["ERROR given up NoCallback"]


def test_what_cannot_be_sent_is_told(
    connection: Connection, log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    Product.objects.create(
        website=connection.website, name="Crown", price=Decimal(1), currency="EUR"
    )

    def broken(*_: object) -> None:
        raise ValueError("Crown")

    monkeypatch.setattr("tallystick.integrations.translate.ProductSync.to_record", broken)
    run(connection)
    assert log.words() == ["ERROR given up NotSendable"]


def test_a_change_that_is_undone_is_not_told(
    connection: Connection, anna: User, log: Lines
) -> None:
    from django.db import transaction

    with transaction.atomic():
        retry(Link.objects.all())
        transaction.set_rollback(True)
    assert log.taken() == []


def test_other_providers_links_are_not_told_of(
    connection: Connection, anna: User, log: Lines
) -> None:
    Connection.objects.everywhere().update(type="XERO")
    retry(Link.objects.all())
    assert log.taken() == []


def test_the_ready_site_keeps_them_in_a_file_of_their_own() -> None:
    logging_as_set: Any = settings.LOGGING
    logger = logging_as_set["loggers"]["tallystick.invoice_ninja"]
    # Whatever LOG_LEVEL keeps out of the rest.
    assert logger == {"handlers": ["invoice_ninja"], "level": "INFO", "propagate": False}
    filename = logging_as_set["handlers"]["invoice_ninja"]["filename"]
    assert str(filename).endswith("logs/invoice_ninja.log")
