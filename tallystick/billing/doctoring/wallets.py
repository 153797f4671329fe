"""Does each wallet hold what its entries add up to, and set aside what its holds say?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from tallystick.accounts.models import Website
from tallystick.billing.doctoring.findings import Finding, differs
from tallystick.billing.doctoring.paging import keys, pages, sums
from tallystick.billing.holds import WalletHold
from tallystick.billing.wallets import Wallet, WalletEntry

_BALANCE = "The entries are the ledger: find the entry that is missing or false, then mend the row."
_HELD = "The open holds decide: mend the column, or release the hold that nobody needs."


def look(websites: Sequence[Website]) -> Iterator[Finding]:
    for page in pages(Wallet.objects.of(websites)):
        held = WalletHold.objects.filter(wallet__in=keys(page), state=WalletHold.State.HELD)
        aside = sums(held, "wallet_id")
        for wallet in page:
            yield from _ledger(wallet)
            yield from differs(wallet, "held", aside[wallet.pk], wallet.held, _HELD)


def _ledger(wallet: Wallet) -> Iterator[Finding]:
    """Each entry says what the balance was after it, so that the first false one shows."""
    balance = Decimal(0)
    for page in pages(WalletEntry.objects.filter(wallet=wallet)):
        for entry in page:
            balance += entry.amount
            field = f"balance_after of entry {entry.pk}"
            yield from differs(wallet, field, balance, entry.balance_after, _BALANCE)
            balance = entry.balance_after
    total = sum(sums(WalletEntry.objects.filter(wallet=wallet), "wallet_id").values(), Decimal(0))
    yield from differs(wallet, "balance", total, wallet.balance, _BALANCE)
