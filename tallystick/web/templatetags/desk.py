"""What the tables of the staff pages are set with: amounts, states, moments."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_timedelta
from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from tallystick.billing import documents
from tallystick.billing.payments import Payment
from tallystick.kit import clock, spelling
from tallystick.kit.money import digits_of

register = template.Library()

_TONES = {
    "draft": "quiet", "open": "waiting", "partially_paid": "partly", "paid": "good", "overdue": "late",
    "void": "gone", "uncollectible": "gone", "pending": "waiting", "processing": "waiting",
    "succeeded": "good", "failed": "late", "cancelled": "gone", "refunded": "back",
    "disputed": "late", "issued": "good", "sent": "good", "suppressed": "gone", "routed": "good",
    "done": "good", "due": "waiting", "uncertain": "partly", "dead": "late",
}  # fmt: skip


@register.simple_tag(takes_context=True)
def money(context: Context, value: Decimal, currency: str, tone: str = "") -> SafeString:
    """Figures and currency for a column: figures of unequal fineness align at the decimal point."""
    figures = spelling.amount(value, currency, _locale(context))
    missing = max(0, int(context.get("places") or 2) - digits_of(currency))
    pad = "0" * missing
    if missing and not digits_of(currency):
        pad = "." + pad
    return format_html(
        '<span class="num {}">{}{}</span><span class="code">{}</span>',
        tone,
        figures,
        format_html('<span class="pad" aria-hidden="true">{}</span>', pad) if pad else "",
        currency,
    )


@register.inclusion_tag("web/staff/badge.html")
def badge(state: str, label: str) -> dict[str, str]:
    """A state: its word, a shape, a colour."""
    return {"tone": _TONES.get(state, "quiet"), "label": label}


@register.inclusion_tag("web/staff/badge.html")
def invoice_badge(invoice: Any, today: date | None = None) -> dict[str, Any]:  # noqa: ANN401 - an Invoice
    """The state of an invoice; overdue is one, though it is derived."""
    day = today or invoice.website.today()
    if invoice.is_overdue(day) and invoice.status != "uncollectible":
        late = (day - invoice.due_date).days
        label = _("overdue")
        return {"tone": "late", "label": label, "title": _("%(n)d days late") % {"n": late}}
    return badge(invoice.status, invoice.get_status_display())


@register.simple_tag
def method_of(payment: Payment) -> str:
    """What the way it was paid is called."""
    return documents.method_label(payment)


@register.simple_tag(takes_context=True)
def moment(context: Context, at: datetime | None, zone: str = "UTC") -> SafeString | str:
    """How long ago, with the exact time on hover and for screen readers."""
    if at is None:
        return ""
    locale = _locale(context)
    exact = format_datetime(at.astimezone(ZoneInfo(zone)), "medium", locale=locale)
    span = at - clock.now()
    far = abs(span.total_seconds()) > 14 * 24 * 3600
    said = (
        spelling.day(at.astimezone(ZoneInfo(zone)).date(), locale, "medium")
        if far
        else format_timedelta(span, add_direction=True, locale=locale)
    )
    return format_html(
        '<time datetime="{}" title="{} {}">{}</time>', at.isoformat(), exact, zone, said
    )


@register.simple_tag(takes_context=True)
def page_url(context: Context, **changes: str) -> str:
    """The address of this page with `changes` to what it asks, and without what is empty."""
    query = context["request"].GET.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    for name, value in changes.items():
        query[name] = value
    for name in [name for name in query if not query[name]]:
        del query[name]
    return f"?{query.urlencode()}"


def _locale(context: Context) -> Any:  # noqa: ANN401 - a Locale of Babel, untyped
    return context.get("locale") or spelling.locale_of(get_language() or "en")
