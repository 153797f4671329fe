"""One act on many invoices: each by itself, so that one refusal neither stops nor undoes the others."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from tallystick.accounts.models import Tries
from tallystick.billing import payments
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice
from tallystick.billing.locks import Gone
from tallystick.billing.payments import Payment
from tallystick.billing.states import PaymentStatus
from tallystick.kit.money import MoneyError
from tallystick.web.views.staff.doors import Desk, for_staff
from tallystick.web.views.staff.refusals import said

_AT_MOST = 200
_A_DAY = 24 * 3600

Row = dict[str, Any]


class SentAlready(BillingError):
    """It was sent by this very form before."""


class RefundedSince(BillingError):
    """It was recorded before by this very form, and has been refunded since."""


@require_POST
@for_staff
def act(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Do it, and tell of each invoice what became of it, where the list is shown again."""
    deed = _DEEDS.get(request.POST.get("act", ""))
    if deed is None:
        raise Http404
    key = request.POST.get("key", "")[:64] or uuid.uuid4().hex
    rows = [_tried(invoice, desk, deed, key) for invoice in _chosen(request, desk)]
    request.session["bulk"] = {"heading": _heading(rows), "rows": rows}
    return HttpResponseRedirect(_back(request), status=303)


def send(invoice: Invoice, desk: Desk, key: str) -> str:
    del desk
    once(f"send:{key}:{invoice.uid}")
    email = invoice.send_email()
    return _("Its e-mail is on its way to %(address)s.") % {"address": email.to or "–"}


def paid(invoice: Invoice, desk: Desk, key: str) -> str:
    payment = payments.mark_paid(invoice, by=desk.user, key=f"bulk-{key}-{invoice.uid.hex}")
    refuse_refunded(payment, invoice)
    return _("Recorded as paid.")


_DEEDS: dict[str, Callable[[Invoice, Desk, str], str]] = {"send": send, "paid": paid}


def once(deed: str) -> None:
    """Raises `SentAlready` when `deed` was done before, within the day; in the caller's transaction."""
    if Tries.add(f"once:{deed}", _A_DAY) > 1:
        raise SentAlready


def refuse_refunded(payment: Payment, invoice: Invoice) -> None:
    """Raises `RefundedSince` when `payment` is an earlier one of the same form, and what it paid is
    owed again."""
    taken_back = payment.allocations.filter(invoice=invoice, amount__lt=0)
    if not invoice.is_payable or not taken_back.exists():
        return
    if payment.status == PaymentStatus.DISPUTED:
        raise RefundedSince(_("It was recorded before by this very form, and is in dispute since."))
    raise RefundedSince(_("It was recorded before by this very form, and refunded since."))


def _tried(
    invoice: Invoice, desk: Desk, deed: Callable[[Invoice, Desk, str], str], key: str
) -> Row:
    row = {"uid": str(invoice.uid), "name": str(invoice), "done": True}
    try:
        with transaction.atomic():
            return row | {"said": deed(invoice, desk, key)}
    except (BillingError, MoneyError) as error:
        return row | {"done": False, "said": said(error)}
    except Gone:
        return row | {"done": False, "said": _("It was deleted in the meantime.")}


def _chosen(request: HttpRequest, desk: Desk) -> list[Invoice]:
    uids = []
    for text in request.POST.getlist("uid")[:_AT_MOST]:
        try:
            uids.append(uuid.UUID(text))
        except ValueError:
            raise Http404 from None
    found = desk.rows(Invoice.objects).filter(uid__in=uids)
    invoices = list(found.select_related("website", "client__user", "client__organisation"))
    if len(invoices) != len(set(uids)):
        raise Http404
    return invoices


def _heading(rows: list[Row]) -> str:
    done = sum(row["done"] for row in rows)
    if not rows:
        return _("No invoice was selected")
    return ngettext(
        "Done for %(done)d of %(all)d invoice", "Done for %(done)d of %(all)d invoices", len(rows)
    ) % {"done": done, "all": len(rows)}


def _back(request: HttpRequest) -> str:
    wanted = request.POST.get("back", "")
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, None):
        return wanted
    return reverse("staff-invoices")
