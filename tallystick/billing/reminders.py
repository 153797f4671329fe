"""Reminders before and after the due date: each stage once, and only while there is reason to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models, transaction
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.models import Website
from tallystick.billing.banking.proposals import BankProposal, ProposalKind
from tallystick.billing.banking.transactions import LineState
from tallystick.billing.email_kinds import ASKING, PAYMENT_OVERDUE, PAYMENT_REMINDER, REMINDERS
from tallystick.billing.emails import Email, Outcome
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice
from tallystick.billing.payment_rows import Payment
from tallystick.billing.states import InvoiceStatus, PaymentStatus
from tallystick.events import record
from tallystick.kit import clock

_BATCH = 500
_CATCH_UP_DAYS = 7
"""So many days after an outage a stage that was missed is still said."""
_PENDING_DAYS = 7
"""So long a payment that somebody began and did not finish holds reminders back."""
_AT_BANK_DAYS = 14
"""So long a line of a bank statement that nobody decides holds reminders back."""

REMINDED = (InvoiceStatus.OPEN, InvoiceStatus.PARTIALLY_PAID)
STOPS = {
    "paid": _("The invoice is paid."),
    "credited": _("The invoice is credited."),
    "not_owed": _("The invoice is a draft, void or written off."),
    "disputed": _("A payment of the invoice is in dispute."),
    "on_its_way": _("A payment is on its way."),
    "at_the_bank": _("A line of a bank statement may be its payment, and waits for a decision."),
    "revoked": _("The payment link is revoked."),
    "expired": _("The payment link has expired."),
    "paused": _("Reminders of the invoice are paused."),
    "account_paused": _("Reminders of the client are paused."),
    "no_address": _("The client has no e-mail address."),
    "bounced": _("Mail to the address was sent back."),
    "today": _("The client was written to about the invoice today."),
    "later": _("A later reminder has taken its place."),
    "switched_off": _("The website does not remind on this day any more."),
    "no_due_date": _("The invoice has no due date."),
}


class NotReminded(BillingError):
    """There is no reason to remind of this invoice."""


class ReminderDay(models.Model):
    """The last day whose reminders of `website` are all queued."""

    website = models.OneToOneField(
        Website, on_delete=models.CASCADE, primary_key=True, related_name="reminder_day"
    )
    day = models.DateField()

    def __str__(self) -> str:
        return f"{self.website}: {self.day}"


@dataclass
class Round:
    """What one round at a website came to: how many were queued, and how many were not, and why."""

    queued: list[tuple[str, str]] = field(default_factory=list)
    """Number and stage of each."""
    stopped: Counter[str] = field(default_factory=Counter)


def remind_all() -> int:
    """Queue what is due at all websites; returns how many. Called every few minutes."""
    websites = Website.objects.exclude(reminder_days="").select_related("reminder_day")
    return sum(len(remind_of(website).queued) for website in websites.order_by("pk"))


def remind_of(website: Website, *, dry_run: bool = False) -> Round:
    """Queue the reminders of the website's day, once it is late enough in it. What an outage left
    out is made up for by the latest stage alone."""
    done = Round()
    local = clock.now().astimezone(ZoneInfo(website.time_zone))
    before = ReminderDay.objects.filter(website=website).first()
    if local.hour < website.reminder_hour:
        return done
    if before and before.day >= local.date() and not dry_run:
        return done
    for due_date, stage in _due_dates(website, local.date(), before.day if before else None):
        for ids in _batches(website, due_date):
            _remind(website, ids, (stage, local.date()), done, dry_run=dry_run)
    if not dry_run:
        ReminderDay.objects.update_or_create(website=website, defaults={"day": local.date()})
    return done


def remind(invoice: Invoice) -> Email:
    """Remind of `invoice` now, by hand, once a day at most. Raises `NotReminded`."""
    today = invoice.website.today()
    with transaction.atomic():
        invoice.lock()
        if code := _stops(invoice.website, [invoice.pk], today)[invoice.pk]:
            raise NotReminded(str(STOPS[code]))
        email = Email.queue(_key(invoice, today), invoice, stage=f"by hand {today}")
        record("invoice.reminded", invoice)
    return email


def pause(invoice: Invoice, until: date | None = None) -> None:
    """No reminders of `invoice`, until the day before `until` or for good."""
    _set_pause(invoice, paused=True, until=until)


def resume(invoice: Invoice) -> None:
    _set_pause(invoice, paused=False, until=None)


def stop_of(email: Email) -> str:
    """Why this reminder is not to be sent any more, in words, by what the database says now."""
    website, invoice = email.invoice.website, email.invoice
    if email.stage.startswith("day") and email.stage not in map(_name, website.reminder_stages):
        return str(STOPS["switched_off"])
    others = Email.objects.filter(invoice=invoice, key__in=REMINDERS).exclude(pk=email.pk)
    if others.filter(pk__gt=email.pk).exclude(outcome=Outcome.SUPPRESSED).exists():
        return str(STOPS["later"])
    today = website.today()
    if others.filter(sent_at__gte=_start(website, today)).exists():
        return str(STOPS["today"])
    code = _stops(website, [invoice.pk], today, besides=("today",))[invoice.pk]
    return str(STOPS.get(code, ""))


def _set_pause(invoice: Invoice, *, paused: bool, until: date | None) -> None:
    with transaction.atomic():
        invoice.lock()
        invoice.reminders_paused, invoice.reminders_paused_until = paused, until
        invoice.save(update_fields=["reminders_paused", "reminders_paused_until"])
        kind = "invoice.reminders_paused" if paused else "invoice.reminders_resumed"
        record(kind, invoice, change={"until": until.isoformat() if until else None})


def _due_dates(website: Website, today: date, before: date | None) -> Iterator[tuple[date, int]]:
    """The due dates that a stage is said for today: that of the day itself, and those whose day has
    passed unseen where no later stage has come meanwhile."""
    unseen = min((today - before).days, _CATCH_UP_DAYS) if before else 1
    stages = website.reminder_stages
    for stage, following in zip(stages, [*stages[1:], None], strict=True):
        until = stage + max(unseen, 1)
        for age in range(stage, until if following is None else min(until, following)):
            yield today - timedelta(days=age), stage


def _batches(website: Website, due_date: date) -> Iterator[list[int]]:
    """The ids of what is owed and due on that day."""
    for status in REMINDED:
        owed = Invoice.objects.of(website).filter(status=status, due_date=due_date)
        ids = list(owed.values_list("pk", flat=True))
        for start in range(0, len(ids), _BATCH):
            yield ids[start : start + _BATCH]


def _remind(
    website: Website, ids: list[int], when: tuple[int, date], done: Round, *, dry_run: bool
) -> None:
    stage, today = when
    with transaction.atomic():
        stops = _stops(website, ids, today)
        going = [pk for pk, code in stops.items() if not code]
        related = ("website", "client__user", "client__organisation")
        invoices = Invoice.objects.of(website).filter(pk__in=going).select_related(*related)
        emails = [
            Email.about(_key(invoice, today), invoice, stage=_name(stage))
            for invoice in invoices.order_by("pk")
        ]
        if not dry_run:
            Email.objects.bulk_create(emails, ignore_conflicts=True)
    done.queued += [(email.invoice.number, email.stage) for email in emails]
    done.stopped.update(code for code in stops.values() if code)


def _stops(
    website: Website, ids: Sequence[int], today: date, *, besides: Sequence[str] = ()
) -> dict[int, str]:
    """By id of the invoice, the code of what holds its reminder back, or nothing. One query."""
    conditions = _conditions(website, today)
    cases = [When(holds, then=Value(code)) for code, holds in conditions if code not in besides]
    stop = Case(*cases, default=Value(""), output_field=models.CharField())
    found = Invoice.objects.of(website).filter(pk__in=ids).annotate(stop=stop)
    return dict(found.values_list("pk", "stop"))


def _conditions(website: Website, today: date) -> list[tuple[str, Q | Exists]]:
    """What holds a reminder back, the plainest reason first."""
    now = clock.now()
    payments = Payment.objects.everywhere()
    lately = Q(status=PaymentStatus.PENDING, created_at__gt=now - timedelta(days=_PENDING_DAYS))
    coming = payments.filter(Q(status=PaymentStatus.PROCESSING) | lately)
    proposed = BankProposal.objects.of(website).filter(
        account=OuterRef("client"),
        kind=ProposalKind.INVOICES,
        line__state=LineState.PROPOSED,
        line__booked_on__gte=today - timedelta(days=_AT_BANK_DAYS),
    )
    used = payments.filter(allocations__invoice=OuterRef("pk"))
    written = Email.objects.filter(
        invoice=OuterRef("pk"), key__in=ASKING, created_at__gte=_start(website, today)
    ).exclude(outcome=Outcome.SUPPRESSED)
    returned = Email.objects.filter(website=website, outcome=Outcome.BOUNCED)
    nobody: dict[str, Any] = {"client__user__isnull": True, "client__organisation__isnull": True}
    return [
        ("credited", Q(status=InvoiceStatus.PAID, amount_paid=0, amount_credited__gt=0)),
        ("paid", Q(status=InvoiceStatus.PAID)),
        ("not_owed", ~Q(status__in=REMINDED)),
        ("no_due_date", Q(due_date=None)),
        ("disputed", Exists(used.filter(status=PaymentStatus.DISPUTED))),
        ("on_its_way", Exists(coming.filter(invoice=OuterRef("pk")))),
        ("on_its_way", Exists(coming.filter(shares__invoice=OuterRef("pk")))),
        ("at_the_bank", Exists(proposed)),
        ("revoked", Q(token_revoked_at__isnull=False)),
        ("expired", Q(token_expires_at__lte=now)),
        (
            "paused",
            Q(reminders_paused=True)
            & (Q(reminders_paused_until=None) | Q(reminders_paused_until__gt=today)),
        ),
        ("account_paused", Q(client__reminders_paused=True)),
        (
            "no_address",
            Q(client__organisation__email="")
            | Q(client__organisation=None, client__user__email="")
            | Q(**nobody),
        ),
        ("bounced", Exists(returned.filter(to=OuterRef("client__organisation__email")))),
        ("bounced", Exists(returned.filter(to=OuterRef("client__user__email")))),
        ("today", Exists(written)),
    ]


def _key(invoice: Invoice, today: date) -> str:
    late = invoice.due_date is not None and invoice.due_date < today
    return PAYMENT_OVERDUE if late else PAYMENT_REMINDER


def _name(stage: int) -> str:
    return f"day{stage:+d}"


def _start(website: Website, day: date) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(website.time_zone)).astimezone(UTC)
