"""Site: a website connected to a stand in process, on a virtual clock, and what a test does with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

from django.db.models import Min, QuerySet
from django.test import Client

from tallystick.accounts.models import Account, Website
from tallystick.billing import payments
from tallystick.billing.lines import LineDraft
from tallystick.billing.models import Invoice, Product
from tallystick.integrations import clients, inbox, sync
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.turns import Turn
from tallystick.integrations.work import connections_with_work, drain_inbox, serve
from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock
from tallystick.kit.money import Money
from tallystick.people.models import User
from tallystick.ports.records import Kind
from tallystick.ports.roles import Delivery, Subscribes
from tallystick.ports.sandboxing import Outgoing, Receipt, Stand, transport
from tallystick.queue.leases import owner_name
from tallystick.queue.registry import Budget
from tallystick.queue.rows import State
from tests.reliability.recording import Recorder
from tests.reliability.venues import Company, Venue

MOST_ROUNDS = 400


class NeverSettled(AssertionError):
    """Work is left, and nothing is done about it."""


class Skewed(VirtualClock):
    """Another clock, which is `by` ahead of it."""

    def __init__(self, other: VirtualClock, by: timedelta) -> None:
        self._other = other
        self.by = by

    def now(self) -> datetime:
        return self._other.now() + self.by

    def advance(self, by: timedelta) -> None:
        self._other.advance(by)


Post = Callable[[Sequence[Outgoing]], Sequence[Outgoing]]


def as_they_are(callbacks: Sequence[Outgoing]) -> Sequence[Outgoing]:
    return callbacks


@dataclass
class Site:
    """`post` is what becomes of a go-between's callbacks on their way here."""

    venue: Venue
    clock: VirtualClock
    stand: Stand
    stand_clock: Skewed
    company: Company
    website: Website
    connection: Connection
    recorder: Recorder
    heard: list[str] = field(default_factory=list)
    """What a person could read of it, so far."""
    post: Post = as_they_are
    release: Post = as_they_are
    """What `post` becomes when callbacks that are held are let go."""

    # -- what happens here

    def customer(self, name: str = "anna") -> Account:
        user = User.objects.create_user(name, f"{name}@example.org", first_name=name.title())
        return Account.objects.of(self.website).get(user=user)

    def product(self, name: str = "Crown", price: str = "190.00") -> Product:
        return Product.objects.create(
            website=self.website, name=name, price=Decimal(price), currency="EUR"
        )

    def invoice(self, account: Account, price: str = "100.00") -> Invoice:
        invoice = Invoice.objects.draft(
            account=account, lines=[LineDraft(description="Crown", unit_price=Decimal(price))]
        )
        invoice.issue()
        return invoice

    def pay(self, invoice: Invoice, amount: str) -> None:
        payments.pay(invoice, Money(Decimal(amount), "EUR"), method="manual", by=None)

    # -- time passes

    def serve(self, *, kind: type[Turn] = Turn) -> None:
        """What a worker would do now: the inbox, then a turn if the connection has work."""
        drain_inbox(Budget(seconds=60))
        for connection in connections_with_work().filter(pk=self.connection.pk):
            serve(kind(connection, owner_name()))
        self.connection.refresh_from_db()
        self._listen()
        if self.venue.provider.by_callback:
            self.hear(self.post(self.stand.outgoing()))

    def settle(self, *, step: timedelta = timedelta(minutes=1), kind: type[Turn] = Turn) -> int:
        """Serve, time passing, until nothing is left to do; answers how many rounds it took."""
        for rounds in range(MOST_ROUNDS):
            self.serve(kind=kind)
            if not self.is_busy():
                return rounds + 1
            self.pass_time(max(step, self._idle()))
        raise NeverSettled([(link.key, link.state, link.last_error) for link in self.open_links()])

    def _idle(self) -> timedelta:
        """How long there is nothing to do, as far as links say."""
        if Link.objects.stale().filter(connection=self.connection).exists():
            return timedelta()
        first = self.open_links().aggregate(at=Min("due_at"))["at"]
        return max(first - clock.now(), timedelta()) if first else timedelta()

    def is_busy(self) -> bool:
        stale = Link.objects.filter(connection=self.connection, update_needed=True)
        return self.open_links().exists() or stale.exists()

    def open_links(self) -> QuerySet[Link]:
        return self.links().filter(state__in=[State.DUE, State.UNCERTAIN])

    def links(self) -> QuerySet[Link]:
        return Link.objects.filter(connection=self.connection)

    def pass_time(self, step: timedelta) -> None:
        """A rest that the provider asked for is slept through."""
        rest = self.connection.rests_until
        self.clock.advance(max(step, rest - clock.now() if rest else step))

    # -- webhooks

    def deliver(self) -> int:
        """Hand over what the provider has to tell; answers how many events were kept."""
        number = self.connection.pk if issubclass(self.venue.provider, Subscribes) else None
        return sum(
            inbox.receive(self.venue.provider.type, self._delivery(out), connection_id=number)
            for out in self.venue.deliveries(self.stand, self.company)
        )

    def _delivery(self, out: Outgoing) -> Delivery:
        tail = out.url.partition(f"/webhook/{self.connection.pk}/")[2]
        return Delivery(out.headers, out.body, tail)

    def lose_webhooks(self) -> None:
        self.venue.deliveries(self.stand, self.company)

    def hear(self, callbacks: Sequence[Outgoing]) -> None:
        """A go-between's callbacks, at the site's own address for them."""
        for out in callbacks:
            answer = Client(SERVER_NAME="localhost").post(
                urlsplit(out.url).path,
                out.body,
                content_type=out.headers["content-type"],
                headers=dict(out.headers),
            )
            self.stand.reported(Receipt(out, self.stand.now(), answer.status_code))

    # -- witnesses

    def made(self, kind: Kind) -> dict[str, int]:
        """The sandbox's own count of what it was asked to make."""
        return self.stand.ledger.counts(self.venue.ledgers[kind], account=self.company.account)

    def require_equal(self) -> None:
        """Both sides hold the same, each thing once."""
        wanted = {(face.kind, face.key): face.says for face in self.venue.ours(self.connection)}
        there = {
            (face.kind, face.key): face.says for face in self.venue.faces(self.stand, self.company)
        }
        assert there == wanted
        assert not self.stand.ledger.doubled()
        if Kind.PAYMENT in self.venue.ledgers:
            assert self._wanted_payments() <= set(self.made(Kind.PAYMENT))

    def _wanted_payments(self) -> set[str]:
        """Those that began here; what came from there has the provider's id for a reference."""
        told = next(each for each in sync.registered() if each.kind == Kind.PAYMENT)
        made = told.model._base_manager.filter(
            invoice__website=self.website, payment__method="manual"
        )
        return {told.key(allocation) for allocation in made}

    def _listen(self) -> None:
        said = [self.connection.rest_reason, self.connection.sync_error]
        said += self.links().values_list("last_error", flat=True)
        said += self.links().values_list("difference", flat=True)
        for log in SyncLog.objects.filter(connection=self.connection):
            said += [log.message, *log.errors]
        self.heard += [words for words in dict.fromkeys(said) if words and words not in self.heard]


@contextmanager
def open_site(venue: Venue) -> Iterator[Site]:
    """A new website, connected. The clock is virtual while the block runs; the database is the
    test's."""
    with clock.use(VirtualClock()) as now:
        stand_clock = Skewed(now, timedelta())
        stand = venue.stand_class(stand_clock)
        recorder = Recorder(venue, transport(stand))
        with clients.using(lambda _: recorder):
            company = venue.company(venue.describe(stand))
            website = new_website()
            connection = connect(venue, website, company)
            yield Site(
                venue, now, stand, stand_clock, company, website, connection, recorder
            )  # fmt: skip


def new_website(name: str = "lindenhof", *, is_default: bool = True) -> Website:
    return Website.objects.create(
        name=name.title(), domain=f"{name}.example", currency="EUR", country="DE",
        time_zone="Europe/Berlin", language="en", is_default=is_default, allow_part_payments=True,
    )  # fmt: skip


def connect(venue: Venue, website: Website, company: Company) -> Connection:
    return Connection.objects.create(
        website=website,
        type=venue.provider.type,
        name=company.name,
        account=company.account,
        credentials=dict(company.credentials),
        custom_data=dict(company.custom_data),
    )
