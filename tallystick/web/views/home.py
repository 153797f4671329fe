"""The start page: what this is, or what there is to do."""

from __future__ import annotations

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tallystick.accounts.models import Account
from tallystick.accounts.roles import standing_of
from tallystick.billing.invoices import Invoice
from tallystick.billing.states import InvoiceStatus
from tallystick.kit import clock

_AT_MOST = 50
_OWED = (InvoiceStatus.OPEN, InvoiceStatus.PARTIALLY_PAID)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return render(request, "web/home.html")
    standing = standing_of(request.user)
    staff = standing.is_superadmin or bool(standing.admin_of)
    page = {"staff": staff, "invoices": _own(request)}
    if staff:
        page["counts"] = _counts(request)
    return render(request, "web/home.html", page)


def _own(request: HttpRequest) -> list[Invoice]:
    """What the reader owes, the most urgent first."""
    accounts = Account.objects.own(request.user)
    owed = Invoice.objects.everywhere().filter(client__in=accounts, status__in=_OWED)
    return list(owed.select_related("website").order_by("due_date", "id")[:_AT_MOST])


def _counts(request: HttpRequest) -> dict[str, int]:
    owed = Invoice.objects.visible_to(request.user).filter(status__in=_OWED)
    overdue = Q(due_date__lt=clock.now().date())
    return owed.aggregate(open=Count("pk"), overdue=Count("pk", filter=overdue))
