"""What happened to an invoice, in the client's words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from tallystick.billing import documents
from tallystick.billing.invoices import Invoice


@dataclass(frozen=True, slots=True)
class Moment:
    at: datetime
    day: date
    said: str
    amount: Decimal | None = None


def timeline(invoice: Invoice) -> list[Moment]:
    """The oldest first. Three queries, whatever there is."""
    zone = ZoneInfo(invoice.website.time_zone)
    found: list[tuple[datetime | None, str, Decimal | None]] = [
        (invoice.issued_at, _("Issued"), invoice.amount),
        (invoice.voided_at, _("Made void: you owe nothing for it"), None),
        (invoice.paid_at, _("Paid in full"), None),
    ]
    for email in invoice.emails.filter(outcome="sent").order_by("id")[:50]:
        found.append((email.sent_at, _("Sent to you by e-mail"), None))
    for given in invoice.allocations.select_related("payment").order_by("id")[:200]:
        if given.amount > 0:
            said = _("Payment received: %(how)s") % {"how": documents.method_label(given.payment)}
        else:
            said = _("Taken back from this invoice")
        found.append((given.created_at, said, abs(given.amount)))
    for note in invoice.credit_notes.order_by("id")[:200]:
        said = _("Credit note %(number)s: you owe less") % {"number": note.number}
        found.append((note.issued_at, said, note.amount))
    moments = [
        Moment(at, at.astimezone(zone).date(), said, amount) for at, said, amount in found if at
    ]
    return sorted(moments, key=lambda moment: moment.at)
