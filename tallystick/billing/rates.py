"""The tax of an invoice by rate, named as its reader knows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from babel import Locale
from django.utils.translation import gettext as _

from tallystick.billing.document_lines import DocumentLine, breakdown
from tallystick.billing.sales_documents import SalesDocument
from tallystick.kit import spelling


@dataclass(frozen=True, slots=True)
class Rate:
    """What was taxed at one rate, and what the rate is called: VAT 19%."""

    name: str
    net: Decimal
    tax: Decimal
    gross: Decimal


def rates(document: SalesDocument, lines: Sequence[DocumentLine], locale: Locale) -> list[Rate]:
    """The rates that `lines` of `document` were taxed at; lines without any tax make none."""
    names = {(line.tax_code, line.tax_percent): line.tax_name for line in lines}
    totals = breakdown(lines, inclusive=document.inclusive)
    return [
        Rate(
            _rate_name(
                names[total.tax_code, total.percent], spelling.percent(total.percent, locale)
            ),
            total.net,
            total.tax,
            total.gross,
        )
        for total in totals
        if total.tax_code or total.tax
    ]


def _rate_name(name: str, percent: str) -> str:
    return name if percent in name else f"{name or _('Tax')} {percent}"
