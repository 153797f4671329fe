"""What is proposed for lines of a bank's statement, as the pages show it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tallystick.billing.banking.proposals import BankProposal
from tallystick.billing.banking.transactions import BankTransaction
from tallystick.billing.invoices import Invoice
from tallystick.billing.payments import Payment
from tallystick.web.views.staff.doors import Desk


@dataclass(frozen=True)
class Offer:
    """A proposal with the invoices it names, as they are now. `rest` is what no invoice gets."""

    proposal: BankProposal
    words: list[str]
    shares: list[tuple[Invoice, Decimal]]
    rest: Decimal
    payment: Payment | None


@dataclass
class Row:
    """A line, and what is proposed for it, the likeliest first."""

    line: BankTransaction
    offers: list[Offer] = field(default_factory=list)

    @property
    def best(self) -> Offer | None:
        return self.offers[0] if self.offers else None


def rows(desk: Desk, lines: Sequence[BankTransaction]) -> list[Row]:
    """Three queries, however many lines."""
    undecided = {line.pk: line for line in lines if line.is_open}
    by_line: dict[int, list[BankProposal]] = {}
    proposals = desk.rows(BankProposal.objects).filter(line__in=list(undecided))
    for proposal in proposals.select_related("payment", "refund"):
        by_line.setdefault(proposal.line_id, []).append(proposal)
    invoices = _invoices(desk, (each for found in by_line.values() for each in found))
    return [
        Row(line, [_offer(desk, line, each, invoices) for each in by_line.get(line.pk, ())])
        for line in lines
    ]


def _invoices(desk: Desk, proposals: Iterable[BankProposal]) -> dict[uuid.UUID, Invoice]:
    uids = {uuid.UUID(uid) for proposal in proposals for uid, _amount in proposal.shares}
    found = desk.rows(Invoice.objects).filter(uid__in=uids)
    found = found.select_related("website", "client__user", "client__organisation")
    return {invoice.uid: invoice for invoice in found}


def _offer(
    desk: Desk, line: BankTransaction, proposal: BankProposal, known: dict[uuid.UUID, Invoice]
) -> Offer:
    shares = [
        (known[uuid.UUID(uid)], Decimal(amount))
        for uid, amount in proposal.shares
        if uuid.UUID(uid) in known
    ]
    given = sum((amount for _invoice, amount in shares), Decimal(0))
    rest = line.amount - given if shares else Decimal(0)
    return Offer(proposal, proposal.words(desk.locale), shares, rest, proposal.payment)
