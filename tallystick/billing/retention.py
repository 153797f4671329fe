"""How long documents keep their buyer, and what happens when that is over: with the year of issue
and `Website.retention_years` more gone, the buyer of whoever was erased is taken off them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db import models, transaction
from django.db.models import Count

from tallystick.accounts.models import Website
from tallystick.accounts.personal import Kept
from tallystick.billing.banking.transactions import BankTransaction
from tallystick.billing.credit_notes import CreditNote
from tallystick.billing.erased import ERASED_BUYER
from tallystick.billing.invoices import Invoice
from tallystick.events import record

BANK_LINE = {"name": "", "iban": "", "text": "", "end_to_end": "", "note": ""}
"""What of a line of a bank's statement says who it was."""


def last_day(website: Website, day: date) -> date:
    """Until when what is of `day` is kept."""
    return date(day.year + website.retention_years, 12, 31)


def kept(section: str, rows: models.QuerySet[Any], day: str, why: str) -> Iterator[Kept]:
    """What stays of `rows`, each kept by its column `day`, by website and year."""
    sites = Website.objects.in_bulk()
    groups = rows.order_by().values_list("website_id", f"{day}__year").annotate(number=Count("pk"))
    by_end: Counter[tuple[str, date | None]] = Counter()
    for website_id, year, number in groups:
        site = sites[website_id]
        end = last_day(site, date(year, 1, 1)) if year else None
        by_end[f"{why} ({site.name}: {site.retention_years} years)", end] += number
    for (words, end), number in sorted(by_end.items(), key=lambda each: str(each[0])):
        yield Kept(section, number, words, end)


def end(website: Website) -> int:
    """Take the buyer off the documents of erased people that no duty keeps any more; returns how many
    documents and lines of bank statements that were."""
    first = date(website.today().year - website.retention_years, 1, 1)
    gone = 0
    with transaction.atomic():
        for manager in (Invoice.objects, CreditNote.objects):
            documents: Any = manager
            past = documents.of(website).filter(client__erased_at__isnull=False)
            past = past.filter(issue_date__lt=first).exclude(buyer=ERASED_BUYER)
            gone += past.exclude(number="").update(buyer=ERASED_BUYER)
        lines = BankTransaction.objects.of(website).filter(booked_on__lt=first)
        lines = lines.filter(payment__account__erased_at__isnull=False).exclude(**BANK_LINE)
        gone += lines.update(**BANK_LINE)
        if gone:
            record("documents.retention_ended", website, change={"count": gone})
    return gone


def end_everywhere() -> int:
    return sum(end(website) for website in Website.objects.order_by("pk"))
