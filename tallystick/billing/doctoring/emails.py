"""Is each e-mail about an invoice, and of its website?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db.models import F

from tallystick.accounts.models import Website
from tallystick.billing.doctoring.findings import Finding, name_of
from tallystick.billing.doctoring.paging import pages
from tallystick.billing.emails import Email

_ADVICE = "See whom it went to; then have the row removed, or put its invoice back."


def look(websites: Sequence[Website]) -> Iterator[Finding]:
    emails = Email.objects.filter(website__in=websites)
    # An outer join, which finds what the foreign key would not let be.
    for page in pages(emails.filter(invoice__uid__isnull=True)):
        for email in page:
            yield Finding(name_of(email), "invoice", "one", f"none of {email.invoice_id}", _ADVICE)
    foreign = emails.exclude(invoice__website=F("website")).select_related("invoice__website")
    for page in pages(foreign.filter(invoice__website__isnull=False)):
        for email in page:
            there = str(email.invoice.website.domain)
            yield Finding(name_of(email), "website", there, str(email.website_id), _ADVICE)
