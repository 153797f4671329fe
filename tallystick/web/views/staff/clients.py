"""Clients: the list, and one of them with all that is between us."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tallystick.accounts.models import Account
from tallystick.billing import documents
from tallystick.billing.invoices import Invoice
from tallystick.billing.payments import Payment
from tallystick.billing.states import InvoiceStatus
from tallystick.billing.wallet_origins import Origin, origins
from tallystick.billing.wallets import Wallet, WalletEntry
from tallystick.kit.money import Money
from tallystick.kit.places import country_name
from tallystick.web import keyset
from tallystick.web.keyset import Order
from tallystick.web.views.staff import searching
from tallystick.web.views.staff.doors import Desk, for_staff
from tallystick.web.views.staff.invoices import places

_NEWEST = 10
_ENTRIES = 20
_OWED = (InvoiceStatus.OPEN, InvoiceStatus.PARTIALLY_PAID)


@require_safe
@for_staff
def listed(request: HttpRequest, desk: Desk) -> HttpResponse:
    text = request.GET.get("q", "").strip()[:100]
    rows = desk.rows(Account.objects)
    if text:
        rows = searching.clients_matching(text, desk)
    related = rows.select_related("website", "user", "organisation")
    page = keyset.page(related, request.GET, Order("id"))
    owed = _owed([account.pk for account in page.rows])
    currencies = [money.currency for sums in owed.values() for money in sums]
    context = desk.page(
        "clients",
        page=page,
        rows=[(account, owed.get(account.pk, [])) for account in page.rows],
        places=places(currencies),
        q=text,
        several=desk.website is None and len(desk.websites) > 1,
    )
    return render(request, "web/staff/clients.html", context)


@require_safe
@for_staff
def shown(request: HttpRequest, desk: Desk, uid: UUID) -> HttpResponse:
    account = find(desk, uid)
    invoices = list(_of(account, Invoice).select_related("website")[:_NEWEST])
    payments = list(_of(account, Payment)[:_NEWEST])
    wallets = list(Wallet.objects.of(account.website_id).filter(account=account))
    owed = _owed([account.pk]).get(account.pk, [])
    return render(
        request,
        "web/staff/client.html",
        desk.page(
            "clients",
            account=account,
            address=_address(account, desk),
            owed=owed,
            invoices=invoices,
            payments=[(payment, documents.method_label(payment)) for payment in payments],
            wallets=_wallets(wallets),
            today=account.website.today(),
            places=places([row.currency for row in [*invoices, *payments]]),
        ),
    )


def find(desk: Desk, uid: UUID) -> Account:
    """Raises `Http404` for a client of somebody else's website."""
    related = ("website", "user", "organisation")
    found = desk.rows(Account.objects).select_related(*related).filter(uid=uid).first()
    if found is None:
        raise Http404
    return found


def _address(account: Account, desk: Desk) -> list[str]:
    place = f"{account.postal_code} {account.city}".strip()
    country = country_name(account.country, str(desk.locale).replace("_", "-"))
    lines = [account.line1, account.line2, place, account.region, country or account.country]
    return [line for line in lines if line]


def _of(account: Account, model: Any) -> Any:  # noqa: ANN401 - invoices or payments
    column = "client" if model is Invoice else "account"
    rows = model.objects.of(account.website_id).filter(**{column: account})
    return rows.order_by("-created_at", "-id")


def _owed(accounts: list[int]) -> dict[int, list[Money]]:
    """What each owes, by currency: one query for a page of them."""
    open_invoices = Invoice.objects.everywhere().filter(client__in=accounts, status__in=_OWED)
    sums = open_invoices.values_list("client", "currency").annotate(
        amount=Sum("amount"), paid=Sum("amount_paid"), credited=Sum("amount_credited")
    )
    owed: dict[int, list[Money]] = defaultdict(list)
    for client, currency, amount, paid, credited in sums.order_by("client", "currency"):
        # Each sum is rounded by itself: SQLite adds up in binary.
        parts = [Money(part, currency).rounded() for part in (amount, paid, credited)]
        owed[client].append(parts[0] - parts[1] - parts[2])
    return owed


def _wallets(wallets: list[Wallet]) -> list[dict[str, Any]]:
    """Each with its newest entries, what these are about, and what is held. One query for each
    wallet that holds something, besides a fixed number."""
    entries: dict[int, list[tuple[WalletEntry, Origin]]] = defaultdict(list)
    found = WalletEntry.objects.filter(wallet__in=wallets).order_by("-id")
    for entry, origin in origins(found[: _ENTRIES * max(1, len(wallets))]):
        entries[entry.wallet_id].append((entry, origin))
    return [
        {
            "wallet": wallet,
            "available": wallet.balance - wallet.held,
            "entries": entries[wallet.pk][:_ENTRIES],
            "holds": list(wallet.holds.filter(state="held")[:_ENTRIES]) if wallet.held else [],
        }
        for wallet in wallets
        if wallet.balance or wallet.held or entries[wallet.pk]
    ]
