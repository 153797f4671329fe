"""What a client owes, the most urgent first, and what is in their wallets."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tallystick.billing.wallets import Wallet
from tallystick.web.views.portal.debts import debts_of, owed_by, sentence
from tallystick.web.views.portal.doors import client_in, for_client, frame

_AT_MOST = 50


@require_safe
@for_client
def overview(request: HttpRequest) -> HttpResponse:
    user = client_in(request)
    debts = debts_of(user)
    page = frame(request, "overview")
    owed = owed_by(user).select_related("website").order_by("due_date", "id")
    invoices = list(owed[:_AT_MOST])
    wallets = [wallet for wallet in Wallet.objects.own(user) if wallet.balance]
    usable = {(wallet.account_id, wallet.currency) for wallet in wallets if wallet.available}
    page |= {
        "lead": sentence(debts, page["locale"]),
        "owes": bool(debts),
        "invoices": invoices,
        "more": sum(debt.count for debt in debts) > len(invoices),
        "wallets": wallets,
        "pays_several": sum((i.client_id, i.currency) in usable for i in invoices) > 1,
        "usable": usable,
    }
    return render(request, "web/portal/overview.html", page)
