"""What is in a client's wallets, and how it came there."""

from __future__ import annotations

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tallystick.billing.wallet_origins import origins
from tallystick.billing.wallets import Wallet, WalletEntry
from tallystick.web.views.portal.doors import client_in, for_client, frame

_SIZE = 50
_SALT = "portal-wallet"


@require_safe
@for_client
def shown(request: HttpRequest) -> HttpResponse:
    own = Wallet.objects.own(client_in(request)).select_related(
        "account__user", "account__organisation", "website"
    )
    wallets = list(own.order_by("account_id", "currency")[:_SIZE])
    wallet = _chosen(wallets, request)
    website = wallet.website if wallet else None
    page = frame(request, "wallet", website=website, wallets=wallets, wallet=wallet)
    if wallet:
        entries, more = _entries(wallet, request.GET.get("after", ""))
        page |= {"entries": origins(entries), "after": more}
    return render(request, "web/portal/wallet.html", page)


def _chosen(wallets: list[Wallet], request: HttpRequest) -> Wallet | None:
    named = request.GET.get("wallet", "")
    if not named:
        return wallets[0] if wallets else None
    for wallet in wallets:
        if named == name_of(wallet):
            return wallet
    raise Http404


def name_of(wallet: Wallet) -> str:
    return f"{wallet.account.uid}-{wallet.currency}"


def _entries(wallet: Wallet, after: str) -> tuple[list[WalletEntry], str]:
    """A page of the ledger, the newest first, and what leads to the next one."""
    rows = wallet.entries.order_by("-id")
    if after:
        try:
            rows = rows.filter(id__lt=int(signing.loads(after, salt=_SALT)))
        except (signing.BadSignature, ValueError):
            raise Http404 from None
    found = list(rows[: _SIZE + 1])
    more = signing.dumps(found[_SIZE - 1].pk, salt=_SALT) if len(found) > _SIZE else ""
    return found[:_SIZE], more
