"""What happened to an invoice, newest first: the journal, its e-mails, the visits to its link, what
other systems know of it."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from babel import Locale
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tallystick.billing import link_log
from tallystick.billing.emails import Email
from tallystick.billing.invoices import Invoice
from tallystick.billing.link_log import LinkEvent
from tallystick.events.models import Event
from tallystick.events.personal import show_addresses
from tallystick.integrations.links import Link, links_of
from tallystick.kit import spelling
from tallystick.kit.money import MoneyError
from tallystick.queue.rows import State
from tallystick.web import agents

AT_MOST = 60
"""Of each kind of source; older ones are in the administration's journal."""

_SAID: Mapping[str, str | Promise] = {
    "invoice.created": gettext_lazy("Drafted"),
    "invoice.revised": gettext_lazy("Draft edited"),
    "invoice.issued": gettext_lazy("Issued as %(number)s"),
    "invoice.paid": gettext_lazy("Paid in full"),
    "invoice.partially_paid": gettext_lazy("Paid in part: %(amount)s; %(due)s is still due"),
    "invoice.reopened": gettext_lazy("%(amount)s is owed again"),
    "invoice.credited": gettext_lazy("Credited: %(amount)s"),
    "invoice.voided": gettext_lazy("Voided"),
    "invoice.written_off": gettext_lazy("Written off"),
    "invoice.link_made": gettext_lazy("Payment link made"),
    "invoice.link_renewed": gettext_lazy("Payment link renewed"),
    "invoice.link_extended": gettext_lazy("Payment link's expiry changed"),
    "invoice.link_revoked": gettext_lazy("Payment link withdrawn"),
    "invoice.reminders_paused": gettext_lazy("Reminders paused"),
    "invoice.reminders_resumed": gettext_lazy("Reminders go on"),
    "payment.pending": gettext_lazy("Payment of %(amount)s awaited"),
    "payment.processing": gettext_lazy("Payment on its way"),
    "payment.succeeded": gettext_lazy("Payment of %(amount)s arrived"),
    "payment.failed": gettext_lazy("Payment failed: %(reason)s"),
    "payment.cancelled": gettext_lazy("Payment cancelled"),
    "payment.refund_requested": gettext_lazy("Refund of %(amount)s asked for"),
    "payment.refunded": gettext_lazy("%(amount)s refunded"),
    "payment.refund_failed": gettext_lazy("Refund of %(amount)s failed"),
    "payment.disputed": gettext_lazy("Payment disputed"),
    "payment.dispute_won": gettext_lazy("Dispute won"),
    "payment.dispute_lost": gettext_lazy("Dispute lost"),
    "credit_note.issued": gettext_lazy("Credit note %(number)s issued"),
}
_TOLD_BY_OTHERS = frozenset({"invoice.sent", "invoice.reminded", "invoice.viewed"})
"""What the e-mails and the visits themselves say better."""
_MAIL: Mapping[str, str | Promise] = {
    "payment.invoice_generated": gettext_lazy("Invoice e-mail"),
    "payment.received": gettext_lazy("Receipt e-mail"),
    "payment.reminder": gettext_lazy("Reminder"),
    "payment.overdue": gettext_lazy("Overdue notice"),
    "payment.refunded": gettext_lazy("Refund e-mail"),
    "payment.credit_note": gettext_lazy("Credit note e-mail"),
}
_TONES = {"failed": "late", "lost": "late", "disputed": "late", "paid": "good", "succeeded": "good"}


@dataclass(frozen=True, slots=True)
class Moment:
    """`who` did it, from `where`; `more` is what is to be known besides. `state` and `outcome` are
    those of an e-mail or of a counterpart elsewhere. `whole` is what `more` is short for."""

    at: datetime
    said: str
    who: str = ""
    where: str = ""
    more: str = ""
    tone: str = ""
    outcome: str = ""
    whole: str = ""


def of(
    invoice: Invoice, payments: Iterable[int], notes: Iterable[int], locale: Locale
) -> list[Moment]:
    """Of `invoice`, its `payments` and its credit `notes`, which are named by their primary keys."""
    events = [
        *Event.objects.of_subject(invoice)[:AT_MOST],
        *_events("billing.payment", payments),
        *_events("billing.creditnote", notes),
    ]
    visits = list(link_log.visits(invoice)[:AT_MOST])
    show_addresses([*events, *visits])
    names = _names([*events, *visits])
    staff = _staff_among(visits, invoice)
    moments = [
        *(_told(event, names, invoice.currency, locale) for event in events if _is_told(event)),
        *(_mailed(email) for email in invoice.emails.order_by("-id")[:AT_MOST]),
        *(_visited(visit, names, staff) for visit in visits),
        *_synced(invoice),
    ]
    return sorted(moments, key=lambda moment: moment.at, reverse=True)


def told(events: Iterable[Event], currency: str, locale: Locale) -> list[Moment]:
    """What the journal alone says of a row, in the order of `events`."""
    rows = list(events)
    show_addresses(rows)
    names = _names(rows)
    return [_told(event, names, currency, locale) for event in rows]


def _events(subject_type: str, ids: Iterable[int]) -> list[Event]:
    wanted = [str(pk) for pk in ids]
    found = Event.objects.everywhere().filter(subject_type=subject_type, subject_id__in=wanted)
    return list(found.order_by("-id")[:AT_MOST]) if wanted else []


def _is_told(event: Event) -> bool:
    return event.kind not in _TOLD_BY_OTHERS


def _told(event: Event, names: Mapping[str, str], currency: str, locale: Locale) -> Moment:
    words = _Words(json.loads(event.change), currency, locale)
    said = str(_SAID.get(event.kind, event.kind.replace("_", " ").replace(".", ": "))) % words
    tone = next((tone for part, tone in _TONES.items() if event.kind.endswith(part)), "")
    return Moment(event.at, said, _who(event, names), event.address_shown, tone=tone)


class _Words(dict[str, Any]):
    """What a sentence names, from what the journal keeps; amounts as the reader writes them."""

    def __init__(self, change: dict[str, Any], currency: str, locale: Locale) -> None:
        super().__init__(change)
        self.currency, self.locale = change.get("currency", currency), locale

    def __missing__(self, name: str) -> str:
        return "…"

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - as a dict of JSON has it
        value = super().__getitem__(name)
        if name not in ("amount", "due"):
            return value
        try:
            figures = spelling.amount(Decimal(str(value)), self.currency, self.locale)
        except (InvalidOperation, MoneyError):
            return value
        return f"{figures} {self.currency}"


def _mailed(email: Email) -> Moment:
    kind = str(_MAIL.get(email.key, email.key))
    said = _("%(kind)s to %(address)s") % {"kind": kind, "address": email.to or "–"}
    dead = email.state == State.DEAD
    outcome = _("failed") if dead and not email.outcome else email.get_outcome_display()
    tone = {"sent": "good", "routed": "good", "": "late" if dead else "waiting"}.get(
        email.outcome, "late"
    )
    return Moment(
        email.sent_at or email.created_at, said, more=email.trouble, tone=tone, outcome=str(outcome)
    )


def _visited(visit: LinkEvent, names: Mapping[str, str], staff: Container[str]) -> Moment:
    by_staff = visit.actor_kind == "user" and visit.actor_id in staff
    words = _("Payment link: %(what)s by staff") if by_staff else _("Payment link: %(what)s")
    return Moment(
        visit.at,
        words % {"what": visit.get_kind_display()},
        _who(visit, names),
        visit.address_shown,
        more=agents.short(visit.agent),
        whole=visit.agent,
    )


def _staff_among(visits: Iterable[LinkEvent], invoice: Invoice) -> set[str]:
    """The ids of those who looked and work at the website of `invoice`, or everywhere."""
    people = {row.actor_id for row in visits if row.actor_kind == "user"}
    ids = {int(each) for each in people if each.isdigit()} - {invoice.client.user_id}
    if not ids:
        return set()
    works_here = Q(is_superuser=True) | Q(memberships__website=invoice.website_id)
    staff = get_user_model().objects.filter(works_here, pk__in=ids)
    return {str(pk) for pk in staff.values_list("pk", flat=True)}


def _synced(invoice: Invoice) -> Iterator[Moment]:
    for link in counterparts(invoice):
        if link.synced_at:
            said = _("Kept in %(system)s") % {"system": link.connection.name}
            yield Moment(link.synced_at, said, more=link.remote_id)


def counterparts(invoice: Invoice) -> list[Link]:
    """What other systems have of it; read once per invoice."""
    known: list[Link] | None = vars(invoice).get("_counterparts")
    if known is None:
        known = list(links_of(invoice).select_related("connection"))
        vars(invoice)["_counterparts"] = known
    return known


def _who(row: Event | LinkEvent, names: Mapping[str, str]) -> str:
    if row.actor_kind == "user":
        return names.get(row.actor_id, row.actor_label)
    return {"link": _("the payment link"), "system": _("the system")}.get(
        row.actor_kind, row.actor_label
    )


def _names(rows: Iterable[Event | LinkEvent]) -> dict[str, str]:
    wanted = {row.actor_id for row in rows if row.actor_kind == "user" and row.actor_id.isdigit()}
    if not wanted:
        return {}
    people = get_user_model().objects.filter(pk__in=[int(pk) for pk in wanted])
    return {str(person.pk): person.get_full_name() or person.get_username() for person in people}
