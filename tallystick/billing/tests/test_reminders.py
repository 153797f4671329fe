"""When reminders are queued, and when they are not, or not sent any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries, Settings

from tallystick.accounts.models import Account, Website
from tallystick.billing import mailing, paylinks, reminders
from tallystick.billing.banking.proposals import BankProposal
from tallystick.billing.banking.statements import BankStatement
from tallystick.billing.banking.transactions import BankTransaction, LineState
from tallystick.billing.email_kinds import PAYMENT_OVERDUE, PAYMENT_REMINDER, REMINDERS
from tallystick.billing.emails import Email
from tallystick.billing.invoices import Invoice
from tallystick.billing.payment_rows import Payment
from tallystick.billing.payments import mark_paid
from tallystick.billing.tests import making
from tallystick.billing.tests.making import D, eur
from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock
from tallystick.queue.rows import State

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 12, tzinfo=UTC)
DUE = date(2026, 3, 16)


@pytest.fixture(autouse=True)
def now(settings: Settings) -> Iterator[VirtualClock]:
    settings.INVOICE_EMAIL_ATTACH_PDF = False
    with clock.use(VirtualClock(START)) as running:
        yield running


@pytest.fixture
def website(now: VirtualClock, db: None) -> Website:
    return making.website(reminder_days="-3, 1, 7, 14, 30", time_zone="Europe/Berlin")


@pytest.fixture
def invoice(website: Website) -> Invoice:
    return making.issued(making.account(website), due_date=DUE)


def on(now: VirtualClock, day: date, hour: int = 12) -> None:
    now.advance(datetime(day.year, day.month, day.day, hour, tzinfo=UTC) - now.now())


def after(days: int) -> date:
    return DUE + timedelta(days=days)


def queued(invoice: Invoice) -> list[tuple[str, str]]:
    rows = Email.objects.filter(invoice=invoice, key__in=REMINDERS).order_by("id")
    return [(email.key, email.stage) for email in rows]


def send(invoice: Invoice) -> Email:
    """Deliver the newest reminder."""
    email = Email.objects.filter(invoice=invoice, key__in=REMINDERS).latest("id")
    email.held = True
    mailing.deliver(email)
    return Email.objects.get(pk=email.pk)


def test_each_stage_is_queued_on_its_day_and_once(now: VirtualClock, invoice: Invoice) -> None:
    for days in range(-5, 40):
        on(now, after(days))
        reminders.remind_all()
        reminders.remind_all()
    assert queued(invoice) == [
        (PAYMENT_REMINDER, "day-3"),
        (PAYMENT_OVERDUE, "day+1"),
        (PAYMENT_OVERDUE, "day+7"),
        (PAYMENT_OVERDUE, "day+14"),
        (PAYMENT_OVERDUE, "day+30"),
    ]


def test_two_who_remind_at_once_queue_one(now: VirtualClock, invoice: Invoice) -> None:
    on(now, after(1))
    reminders.remind_all()
    reminders.ReminderDay.objects.all().delete()
    Email.objects.update(created_at=START)  # the second has not seen the first's
    reminders.remind_all()
    assert queued(invoice) == [(PAYMENT_OVERDUE, "day+1")]


def test_the_hour_is_the_websites(now: VirtualClock, invoice: Invoice) -> None:
    on(now, after(1), hour=7)  # 8 in Berlin
    reminders.remind_all()
    assert queued(invoice) == []
    on(now, after(1), hour=8)
    reminders.remind_all()
    assert queued(invoice) == [(PAYMENT_OVERDUE, "day+1")]


def test_the_day_is_the_websites(now: VirtualClock) -> None:
    website = making.website(reminder_days="1", time_zone="Pacific/Auckland")
    invoice = making.issued(making.account(website), due_date=DUE)
    on(now, DUE, hour=21)  # 10 in the morning of the next day there
    reminders.remind_all()
    assert queued(invoice) == [(PAYMENT_OVERDUE, "day+1")]


def test_after_an_outage_the_latest_stage_alone_is_said(
    now: VirtualClock, website: Website
) -> None:
    website.reminder_days = "-1, 1, 2, 3, 20"
    website.save()
    invoice = making.issued(making.account(website), due_date=DUE)
    on(now, after(-2))
    reminders.remind_all()
    on(now, after(4))
    reminders.remind_all()
    on(now, after(5))
    reminders.remind_all()
    assert queued(invoice) == [(PAYMENT_OVERDUE, "day+3")]


def test_switching_reminders_on_says_nothing_of_the_past(
    now: VirtualClock, invoice: Invoice
) -> None:
    on(now, after(9))
    reminders.remind_all()
    assert queued(invoice) == []


def test_a_website_without_days_reminds_of_nothing(now: VirtualClock) -> None:
    invoice = making.issued(making.account(making.website()), due_date=DUE)
    on(now, after(1))
    reminders.remind_all()
    assert queued(invoice) == []


def test_who_was_written_to_today_is_not_again(now: VirtualClock, invoice: Invoice) -> None:
    on(now, after(1))
    invoice.send_email()
    reminders.remind_all()
    assert queued(invoice) == []


def _paid(invoice: Invoice) -> None:
    mark_paid(invoice, by=None)


def _processing(invoice: Invoice, status: str = "processing") -> None:
    payment = Payment.of(invoice, eur("119"), method="manual", key=invoice.uid.hex)
    payment.status = status
    payment.save()


def _pending(invoice: Invoice) -> None:
    _processing(invoice, "pending")


def _disputed(invoice: Invoice) -> None:
    mark_paid(invoice, by=None).dispute("not mine")


def _credited(invoice: Invoice) -> None:
    from tallystick.billing.credit_notes import issue_credit_note

    issue_credit_note(invoice, reason="wrong", by=None)


def _account_paused(invoice: Invoice) -> None:
    Account.objects.everywhere().filter(pk=invoice.client_id).update(reminders_paused=True)


def _no_address(invoice: Invoice) -> None:
    person = making.owner(invoice)
    person.email = ""
    person.save()


def _bounced(invoice: Invoice) -> None:
    Email.objects.filter(invoice=invoice).first().bounced("no such user")  # type: ignore[union-attr]


def _expired(invoice: Invoice) -> None:
    Invoice.objects.everywhere().filter(pk=invoice.pk).update(token_expires_at=START)


def _at_the_bank(invoice: Invoice) -> None:
    """A line of a statement that may be its payment: the name fits, the reference lacks."""
    website = invoice.website
    statement = BankStatement.objects.create(
        website=website, name="s", format="csv", digest="d", account="A"
    )
    line = BankTransaction.objects.create(
        website=website,
        statement=statement,
        account="A",
        position=1,
        identity="i",
        booked_on=DUE,
        amount=D(119),
        currency="EUR",
        state=LineState.PROPOSED,
    )
    BankProposal.objects.create(
        website=website, line=line, kind="invoices", rank=1, account=invoice.client
    )


STOPS = {
    "at the bank": _at_the_bank,
    "paid": _paid,
    "void": lambda invoice: invoice.void(reason="twice"),
    "written off": lambda invoice: invoice.write_off(reason="gone"),
    "credited": _credited,
    "disputed": _disputed,
    "processing": _processing,
    "pending": _pending,
    "revoked": paylinks.revoke,
    "expired": _expired,
    "paused": reminders.pause,
    "paused until": lambda invoice: reminders.pause(invoice, after(2)),
    "account paused": _account_paused,
    "no address": _no_address,
    "bounced": _bounced,
}


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
class TestWhatStopsThem:
    def test_before_they_are_queued(
        self, now: VirtualClock, invoice: Invoice, stop: Callable[[Invoice], object]
    ) -> None:
        on(now, after(0))
        stop(invoice)
        on(now, after(1))
        reminders.remind_all()
        assert queued(invoice) == []

    def test_before_they_are_sent(
        self, now: VirtualClock, invoice: Invoice, stop: Callable[[Invoice], object]
    ) -> None:
        on(now, after(1))
        reminders.remind_all()
        assert queued(invoice) == [(PAYMENT_OVERDUE, "day+1")]
        stop(Invoice.objects.everywhere().get(pk=invoice.pk))
        email = send(invoice)
        assert (email.state, email.outcome, mail.outbox) == (State.DONE, "suppressed", [])
        assert email.note in map(str, reminders.STOPS.values())


def test_a_line_at_the_bank_that_nobody_decides_stops_them_for_two_weeks(
    now: VirtualClock, invoice: Invoice
) -> None:
    _at_the_bank(invoice)
    for days in (1, 7, 14, 30):
        on(now, after(days))
        reminders.remind_all()
    assert [stage for _, stage in queued(invoice)] == ["day+30"]


def test_a_pause_ends(now: VirtualClock, invoice: Invoice) -> None:
    reminders.pause(invoice, after(1))
    on(now, after(1))
    reminders.remind_all()
    assert queued(invoice) == [(PAYMENT_OVERDUE, "day+1")]
    reminders.pause(invoice)
    on(now, after(7))
    reminders.remind_all()
    reminders.resume(invoice)
    on(now, after(14))
    reminders.remind_all()
    assert [stage for _, stage in queued(invoice)] == ["day+1", "day+14"]


def test_a_payment_that_nobody_finishes_stops_them_for_a_week_only(
    now: VirtualClock, invoice: Invoice
) -> None:
    on(now, after(0))
    _pending(invoice)
    on(now, after(1))
    reminders.remind_all()
    on(now, after(7))
    reminders.remind_all()
    assert queued(invoice) == [(PAYMENT_OVERDUE, "day+7")]


def test_what_is_still_owed_is_reminded_of(now: VirtualClock, invoice: Invoice) -> None:
    from tallystick.billing.payments import receive_external

    receive_external(invoice, amount=D(19), reference="r", date=START.date(), method="xero")
    on(now, after(1))
    reminders.remind_all()
    email = send(invoice)
    assert email.outcome == "sent"
    assert "100.00 EUR" in str(mail.outbox[0].body)
    assert mail.outbox[0].subject.startswith(f"Overdue: invoice #{invoice.reference_id}")


class TestAtTheMomentOfSending:
    def test_a_stage_that_the_website_gave_up_is_not_sent(
        self, now: VirtualClock, invoice: Invoice
    ) -> None:
        on(now, after(1))
        reminders.remind_all()
        Website.objects.update(reminder_days="")
        assert send(invoice).note == str(reminders.STOPS["switched_off"])

    def test_one_that_a_later_one_overtook_is_not_sent(
        self, now: VirtualClock, invoice: Invoice
    ) -> None:
        for days in (1, 7):
            on(now, after(days))
            reminders.remind_all()
        older = Email.objects.get(invoice=invoice, stage="day+1")
        older.held = True
        mailing.deliver(older)
        older.refresh_from_db()
        assert older.note == str(reminders.STOPS["later"])
        assert send(invoice).outcome == "sent"

    def test_one_that_was_held_up_to_the_day_of_another_is_not_sent(
        self, now: VirtualClock, invoice: Invoice
    ) -> None:
        on(now, after(1))
        reminders.remind_all()
        by_hand = Email.queue(PAYMENT_OVERDUE, invoice, stage="by hand")
        by_hand.held = True
        mailing.deliver(by_hand)
        earlier = Email.objects.get(invoice=invoice, stage="day+1")
        earlier.held = True
        mailing.deliver(earlier)
        earlier.refresh_from_db()
        assert earlier.outcome == "suppressed"
        assert len(mail.outbox) == 1


class TestByHand:
    def test_once_a_day(self, now: VirtualClock, invoice: Invoice) -> None:
        on(now, after(2))
        assert reminders.remind(invoice).key == PAYMENT_OVERDUE
        assert send(invoice).outcome == "sent"
        with pytest.raises(reminders.NotReminded, match="today"):
            reminders.remind(invoice)

    def test_not_without_reason(self, now: VirtualClock, invoice: Invoice) -> None:
        mark_paid(invoice, by=None)
        on(now, after(2))
        with pytest.raises(reminders.NotReminded, match="paid"):
            reminders.remind(invoice)


class TestTheCommand:
    def test_says_without_doing(self, now: VirtualClock, invoice: Invoice) -> None:
        on(now, after(1))
        out = StringIO()
        call_command("send_reminders", "--dry-run", stdout=out)
        assert f"1 would be queued\n  {invoice.number} day+1" in out.getvalue()
        assert queued(invoice) == []

    def test_does_for_one_website(self, now: VirtualClock, invoice: Invoice) -> None:
        other = making.website(reminder_days="1")
        theirs = making.issued(making.account(other), due_date=DUE)
        on(now, after(1))
        call_command("send_reminders", f"--website={invoice.website.domain}", stdout=StringIO())
        assert (len(queued(invoice)), len(queued(theirs))) == (1, 0)
        call_command("send_reminders", f"--website={other.uid}", stdout=StringIO())
        assert len(queued(theirs)) == 1

    def test_knows_no_other(self) -> None:
        with pytest.raises(CommandError, match=r"nowhere\.example"):
            call_command("send_reminders", "--website=nowhere.example")

    def test_says_why_not(self, now: VirtualClock, invoice: Invoice) -> None:
        reminders.pause(invoice)
        on(now, after(1))
        out = StringIO()
        call_command("send_reminders", stdout=out)
        assert "not of 1: Reminders of the invoice are paused." in out.getvalue()


@pytest.mark.parametrize(
    "text", ["x", "1,,2", "3, 1", "1, 1", "366", "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11", "1.5"]
)
def test_days_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        making.website(reminder_days=text).full_clean()


def test_queries_do_not_grow_with_the_invoices(
    now: VirtualClock, website: Website, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    from django.db import connection

    account = making.account(website)
    counts = []
    for days, number in ((1, 2), (7, 30)):
        on(now, START.date())
        reminders.ReminderDay.objects.all().delete()
        for _ in range(number):
            making.issued(account, due_date=DUE)
        on(now, after(days))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert reminders.remind_all() >= number
        counts.append(len(queries))
    assert counts[1] <= counts[0]
