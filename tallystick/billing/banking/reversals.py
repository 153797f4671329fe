"""What a debit may be: a payment that the bank takes back, or a refund that goes out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tallystick.billing.banking.proposals import Idea, ProposalKind, reason

if TYPE_CHECKING:
    from tallystick.billing.banking.evidence import Evidence
    from tallystick.billing.banking.transactions import BankTransaction

_SURE, _LIKELY, _REFUND, _SENDER, _POSSIBLE = 95, 90, 85, 80, 55


def is_one(line: BankTransaction) -> bool:
    """Whether the bank says that it takes something back."""
    return line.is_reversal or bool(line.return_reason)


def ideas(line: BankTransaction, evidence: Evidence) -> list[Idea]:
    if is_one(line):
        return list(_taken_back(line, evidence))
    return [*_refunds(line, evidence), *_named(line, evidence)]


def _taken_back(line: BankTransaction, evidence: Evidence) -> Iterable[Idea]:
    """The payments of this amount; the likelier the more they have in common with the line."""
    why = f" ({line.return_reason})" if line.return_reason else ""
    says = reason("reversal", reason=why)
    named = {idea.payment_id: idea for idea in _named(line, evidence)}
    offered = set()
    for came in evidence.came[line.currency, -line.amount]:
        if came.payment_id not in offered:
            offered.add(came.payment_id)
            rank, common = _in_common(line, came, named.get(came.payment_id))
            yield Idea(ProposalKind.REVERSAL, rank, (says, *common), payment_id=came.payment_id)
    yield from (idea for payment, idea in named.items() if payment not in offered)


def _in_common(
    line: BankTransaction, came: BankTransaction, named: Idea | None
) -> tuple[int, tuple[dict[str, str], ...]]:
    """How likely it is that `line` takes back what `came` brought, and why."""
    same_end = bool(came.end_to_end) and came.end_to_end == line.end_to_end
    if same_end or (came.reference and came.reference == line.reference):
        return _SURE, (reason("same_reference"),)
    if named is not None:
        return named.rank, named.reasons
    if came.iban and came.iban == line.iban:
        return _SENDER, (reason("same_sender"),)
    return _POSSIBLE, ()


def _refunds(line: BankTransaction, evidence: Evidence) -> Iterable[Idea]:
    for refund in evidence.refunds[line.currency, -line.amount]:
        yield Idea(ProposalKind.REFUND, _REFUND, (reason("refund"),), refund_id=refund.pk)


def _named(line: BankTransaction, evidence: Evidence) -> Iterable[Idea]:
    """A debit that names an invoice of ours: what paid it goes back, as in tables, which have no
    column for reversals."""
    for invoice in evidence.named_in(line, "structured"):
        for payment in evidence.payments_on(invoice):
            if payment.currency == line.currency and payment.amount >= -line.amount:
                why = (reason("reference", number=invoice.number),)
                yield Idea(ProposalKind.REVERSAL, _LIKELY, why, payment_id=payment.pk)
