"""That an invoice was looked at is journalled, once an hour at most: the only thing a GET writes."""

from __future__ import annotations

from datetime import timedelta

from django.core.cache import cache

from tallystick.billing.invoices import Invoice
from tallystick.events import record
from tallystick.events.models import Event
from tallystick.kit import clock

KIND = "invoice.viewed"
EVERY = timedelta(hours=1)


def note(invoice: Invoice) -> None:
    """Record the visit, unless there was one within the hour."""
    # The cache spares the query, and settles who is first of two at once; it may forget.
    if not cache.add(f"viewed:{invoice.uid.hex}", True, EVERY.total_seconds()):
        return
    seen = Event.objects.of(invoice.website_id).filter(
        subject_type=invoice._meta.label_lower, subject_id=str(invoice.pk), kind=KIND
    )
    if not seen.filter(at__gt=clock.now() - EVERY).exists():
        record(KIND, invoice)
