"""The log of mails: what went out, what did not and why, and sending it once more."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from tallystick.billing.email_kinds import LABELS
from tallystick.billing.emails import Email, Outcome
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice
from tallystick.billing.numbering import INVOICES
from tallystick.kit import clock
from tallystick.web import keyset
from tallystick.web.views.staff.doors import Desk, for_staff
from tallystick.web.views.staff.refusals import said

if TYPE_CHECKING:
    from django.db.models import QuerySet

_AT_MOST = 200
_COUNTED = 1000
_LATELY = timedelta(days=30)
FAILED = "failed"
STATES = [
    ("", gettext_lazy("All")),
    ("waiting", gettext_lazy("Waiting")),
    (Outcome.SENT.value, gettext_lazy("Sent")),
    (FAILED, gettext_lazy("Failed")),
    (Outcome.BOUNCED.value, gettext_lazy("Bounced")),
    (Outcome.SUPPRESSED.value, gettext_lazy("Held back")),
    (Outcome.ROUTED.value, gettext_lazy("Routed elsewhere")),
]
_TROUBLED = (Outcome.FAILED, Outcome.BOUNCED)
_TONES = {
    Outcome.WAITING: "due",
    Outcome.FAILED: "dead",
    Outcome.BOUNCED: "dead",
}
_RELATED = ("invoice__client__user", "invoice__client__organisation", "website")


@require_safe
@for_staff
def listed(request: HttpRequest, desk: Desk) -> HttpResponse:
    rows = _narrowed(desk, request).select_related("website", "invoice")
    page = keyset.page(rows, request.GET)
    return render(
        request,
        "web/staff/mail/list.html",
        desk.page(
            "mail",
            page=page,
            rows=[row(email) for email in page.rows],
            states=STATES,
            kinds=LABELS.items(),
            asked=_asked(request),
            troubled=troubled(desk)[:_COUNTED].count(),
            waiting=emails(desk).filter(outcome="", state="due")[:_COUNTED].count(),
            many=_COUNTED,
            several=desk.website is None and len(desk.websites) > 1,
        ),
    )


@require_safe
@for_staff
def shown(request: HttpRequest, desk: Desk, uid: UUID) -> HttpResponse:
    email = emails(desk).select_related(*_RELATED).filter(uid=uid).first()
    if email is None:
        raise Http404
    page = desk.page("mail", email=email, row=row(email), tries=email.tries.all()[:_AT_MOST])
    return render(request, "web/staff/mail/one.html", page)


@require_POST
@for_staff
def again(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Send those that were picked once more, or all that failed of late."""
    if request.POST.get("act") == "failed":
        chosen = list(troubled(desk).order_by("id")[:_AT_MOST])
    else:
        chosen = _chosen(request, desk)
    done = 0
    for email in chosen:
        try:
            email.resend()
            done += 1
        except BillingError as problem:
            messages.warning(request, f"{email.to}: {said(problem)}")
    told = ngettext("%(n)d mail is on its way again.", "%(n)d mails are on their way again.", done)
    messages.success(request, told % {"n": done}) if chosen else messages.warning(
        request, _("No mail was selected.")
    )
    return HttpResponseRedirect(_back(request), status=303)


def emails(desk: Desk) -> QuerySet[Email]:
    """Those of the chosen website, or of all of theirs."""
    if desk.website is not None:
        return Email.objects.filter(website=desk.website)
    if desk.standing.is_superadmin:
        return Email.objects.all()
    return Email.objects.filter(website__in=desk.standing.admin_of)


def troubled(desk: Desk) -> QuerySet[Email]:
    """What has not arrived, of late."""
    since = clock.now() - _LATELY
    return emails(desk).filter(outcome__in=_TROUBLED, created_at__gte=since)


def row(email: Email) -> dict[str, Any]:
    """A mail and how its state is shown."""
    outcome = Outcome(email.outcome)
    tone = "uncertain" if email.trouble and not outcome else _TONES.get(outcome, outcome.value)
    label = _("will be tried again") if tone == "uncertain" else outcome.label
    kind = LABELS.get(email.key, email.key)
    return {"email": email, "tone": tone, "label": label, "kind": kind}


def _asked(request: HttpRequest) -> dict[str, str]:
    """What the address asks for, as far as it is understood."""
    state, kind = request.GET.get("status", ""), request.GET.get("kind", "")
    return {
        "status": state if state in dict(STATES) else "",
        "kind": kind if kind in LABELS else "",
        "q": " ".join(request.GET.get("q", "").replace("\0", " ").split())[:254],
    }


def _narrowed(desk: Desk, request: HttpRequest) -> QuerySet[Email]:
    asked, rows = _asked(request), emails(desk)
    if asked["status"]:
        rows = rows.filter(outcome="" if asked["status"] == "waiting" else asked["status"])
    if asked["kind"]:
        rows = rows.filter(key=asked["kind"])
    if "@" in asked["q"]:
        rows = rows.filter(to=asked["q"])
    elif asked["q"]:
        rows = rows.filter(invoice__in=_invoices(desk, asked["q"]))
    return rows


def _invoices(desk: Desk, text: str) -> list[int]:
    """By number or reference; by their ids, so that each is found by an index of its own."""
    invoices = desk.rows(Invoice.objects)
    numbered = invoices.filter(series=INVOICES, number=text.upper())
    named = invoices.filter(reference_id=text.upper())
    return [*numbered.values_list("pk", flat=True)[:_AT_MOST], *named.values_list("pk", flat=True)]


def _chosen(request: HttpRequest, desk: Desk) -> list[Email]:
    try:
        uids = {uuid.UUID(each) for each in request.POST.getlist("uid")[:_AT_MOST]}
    except ValueError:
        raise Http404 from None
    found = list(emails(desk).filter(uid__in=uids).order_by("id"))
    if len(found) != len(uids):
        raise Http404
    return found


def _back(request: HttpRequest) -> str:
    wanted = request.POST.get("back", "")
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, None):
        return wanted
    return reverse("staff-mail")
