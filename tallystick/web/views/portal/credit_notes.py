"""A client's credit notes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tallystick.billing.credit_notes import CreditNote
from tallystick.web import keyset
from tallystick.web.views.portal.doors import client_in, for_client, frame


@require_safe
@for_client
def listed(request: HttpRequest) -> HttpResponse:
    rows = CreditNote.objects.own(client_in(request)).select_related("invoice")
    page = frame(request, "credit-notes", page=keyset.page(rows, request.GET))
    return render(request, "web/portal/credit_notes.html", page)
