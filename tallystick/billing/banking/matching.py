"""Which line of a statement paid what. What is beyond doubt is booked; all else is proposed, never
guessed.

Beyond doubt is one payment that came, with one valid reference of ours in its text, or several of one
client, whose amount is what is due, to the cent, and of which nothing else speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from tallystick.billing import locks
from tallystick.billing.banking import names, reversals
from tallystick.billing.banking.evidence import Evidence
from tallystick.billing.banking.proposals import BankProposal, Idea, ProposalKind, reason
from tallystick.billing.banking.statements import BankStatement
from tallystick.billing.banking.transactions import (
    UNDECIDED,
    BankTransaction,
    LineState,
    Shares,
)
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice
from tallystick.kit import clock
from tallystick.kit.money import Money

if TYPE_CHECKING:
    from tallystick.accounts.models import Website

Candidate = tuple[int, list[Invoice], list[dict[str, str]]]
"""A rank, invoices that belong together, and why."""

_AT_ONCE = 100
_BESIDE = ("statement", "website", "double_of__statement")
_MOST_PROPOSALS = 5
_BY_REFERENCE, _BY_NUMBER, _BY_SENDER, _BY_NAME = 90, 70, 60, 50
_EXACT = 9


def match(line: BankTransaction) -> LineState:
    """Book `line` where there is no doubt, else keep proposals for it. A line that is decided stays
    as it is."""
    if line.state in UNDECIDED:
        _match([line])
    return LineState(line.state)


def match_all(
    website: Website,
    *,
    statement: BankStatement | None = None,
    again: bool = False,
    seconds: float | None = None,
    tell: Callable[[int], None] = lambda done: None,
) -> int:
    """Match the lines that nobody has looked at yet, or `again` all that are undecided, oldest
    first; for `seconds` at most. Returns how many are left to look at."""
    started, done, after = clock.ticking(), 0, 0
    states = UNDECIDED if again else (LineState.NEW,)
    rows = BankTransaction.objects.of(website).filter(state__in=states).order_by("pk")
    rows = rows if statement is None else rows.filter(statement=statement)
    while lines := list(rows.filter(pk__gt=after).select_related(*_BESIDE)[:_AT_ONCE]):
        _match(lines)
        done, after = done + len(lines), lines[-1].pk
        tell(done)
        if seconds is not None and clock.ticking() - started > seconds:
            break
    return rows.filter(pk__gt=after).count()


def _match(lines: Sequence[BankTransaction]) -> None:
    """Those of one website: first book, then propose, by what is due after that."""
    website = lines[0].website
    evidence = Evidence(website, lines)
    rest = [line for line in lines if not _booked(line, certain(line, evidence))]
    if rest:
        evidence = Evidence(website, rest)
    for line in rest:
        _propose(line, ideas(line, evidence))


def certain(line: BankTransaction, evidence: Evidence) -> Shares:
    """What `line` pays beyond doubt; nothing where there is any."""
    named = evidence.named_in(line, "structured")
    if not named or not _may_be_certain(line) or not _is_all(line, evidence, named):
        return []
    dues = [(invoice, invoice.due.amount) for invoice in named]
    fit = all(due and invoice.currency == line.currency for invoice, due in dues)
    return dues if fit and _due(named) == line.amount else []


def _is_all(line: BankTransaction, evidence: Evidence, named: Sequence[Invoice]) -> bool:
    """Whether the text speaks of these invoices alone, and of one client's: no other reference, be it
    somebody else's, and no other number."""
    strangers = len(evidence.found[line.pk].structured) - len(named)
    others = {*_weakly_named(line, evidence)} - {*named}
    return not strangers and not others and len(_by_client(named)) == 1


def _may_be_certain(line: BankTransaction) -> bool:
    return (
        line.is_credit
        and not line.is_reversal
        and not line.return_reason
        and not line.whole_batch
        and line.double_of_id is None
        and line.statement.balance != BankStatement.Balance.DIFFERS
    )


def ideas(line: BankTransaction, evidence: Evidence) -> list[Idea]:
    """What `line` may be, the likeliest first."""
    of = _payments if line.is_credit else reversals.ideas
    found = list(of(line, evidence))
    if line.double_of is not None:
        why = reason("double", name=line.double_of.statement)
        found.append(Idea(ProposalKind.DOUBLE, _BY_REFERENCE + _EXACT + 1, (why,)))
    return sorted(found, key=lambda idea: -idea.rank)[:_MOST_PROPOSALS]


def _payments(line: BankTransaction, evidence: Evidence) -> Iterable[Idea]:
    """One idea for each set of invoices, by the best evidence there is for it."""
    offered: set[frozenset[int]] = set()
    for rank, invoices, why in _candidates(line, evidence):
        fit = [invoice for invoice in invoices if invoice.currency == line.currency]
        key = frozenset(invoice.pk for invoice in fit)
        if fit and key not in offered:
            offered.add(key)
            yield _idea(line, fit, rank, [*why, *_doubts(line, evidence, fit)])


def _candidates(line: BankTransaction, evidence: Evidence) -> Iterator[Candidate]:
    yield from _by_name_of_invoice(line, evidence)
    if line.iban:
        yield from _by_sender(line, evidence)
    for invoice in evidence.by_due[line.currency, line.amount]:
        name = invoice.as_buyer()["name"]
        if names.alike(line.name, name):
            yield _BY_NAME, [invoice], [reason("name", name=name)]


def _by_name_of_invoice(line: BankTransaction, evidence: Evidence) -> Iterator[Candidate]:
    named = _by_client(evidence.named_in(line, "structured"))
    for invoices in named:
        why = [reason("reference", number=invoice.number) for invoice in invoices]
        yield _BY_REFERENCE, invoices, why + [reason("several_clients")] * (len(named) > 1)
    for how, weakly in (
        ("mistyped", evidence.named_in(line, "mistyped")),
        ("bare", evidence.named_in(line, "bare")),
        ("number", evidence.numbered_in(line)),
    ):
        for invoices in _by_client(weakly):
            yield _BY_NUMBER, invoices, [reason(how, number=i.number) for i in invoices]


def _by_sender(line: BankTransaction, evidence: Evidence) -> Iterator[Candidate]:
    """What those owe who have paid from this account before."""
    payers = evidence.accounts_of[line.iban]
    for invoice in evidence.by_due[line.currency, line.amount]:
        if invoice.client_id in payers:
            yield _BY_SENDER, [invoice], [reason("sender")]
    for account in payers:
        owed = [i for i in evidence.owed_by[account] if i.currency == line.currency]
        if len(owed) > 1 and _due(owed) == line.amount:
            yield _BY_SENDER, owed, [reason("sender")]


def _idea(
    line: BankTransaction, invoices: Sequence[Invoice], rank: int, why: list[dict[str, str]]
) -> Idea:
    """The money goes to the invoices in the order of their due dates, as far as it lasts."""
    left, shares = line.money.amount, []
    for invoice in sorted(invoices, key=lambda i: (i.due_date is None, i.due_date, i.pk)):
        share = min(invoice.due.amount, left)
        shares.append((invoice, share))
        left -= share
        if not invoice.is_payable:
            why.append(reason("not_payable", number=invoice.number, status=invoice.status))
    due = _due(invoices)
    if due == line.amount:
        why.append(reason("amount" if len(invoices) == 1 else "amount_of_all"))
        rank += _EXACT
    elif due:
        gap = Money(abs(due - line.amount), line.currency).rounded().amount
        code = "less" if due > line.amount else "more"
        why.append(reason(code, amount=gap, currency=line.currency))
    return Idea(ProposalKind.INVOICES, rank, tuple(why), shares=tuple(shares))


def _doubts(
    line: BankTransaction, evidence: Evidence, invoices: Sequence[Invoice]
) -> Iterable[dict[str, str]]:
    """What keeps it from being booked by itself."""
    named = {*evidence.named_in(line, "structured"), *_weakly_named(line, evidence)}
    if named - set(invoices):
        yield reason("several")
    if line.statement.balance == BankStatement.Balance.DIFFERS:
        yield reason("balance")
    if line.whole_batch:
        yield reason("batch")


def _weakly_named(line: BankTransaction, evidence: Evidence) -> list[Invoice]:
    return [
        *evidence.named_in(line, "mistyped"),
        *evidence.named_in(line, "bare"),
        *evidence.numbered_in(line),
    ]


def _by_client(invoices: Iterable[Invoice]) -> list[list[Invoice]]:
    groups: dict[int, list[Invoice]] = {}
    for invoice in dict.fromkeys(invoices):
        groups.setdefault(invoice.client_id, []).append(invoice)
    return list(groups.values())


def _due(invoices: Iterable[Invoice]) -> Decimal:
    return sum((invoice.due.amount for invoice in invoices), Decimal(0))


def _booked(line: BankTransaction, shares: Shares) -> bool:
    """Whether it was booked by itself; what changed in the meantime is for a person to see."""
    if not shares:
        return False
    try:
        line.book(shares, by=None, alone=True)
    except BillingError:
        line.refresh_from_db()
        return False
    return True


def _propose(line: BankTransaction, found: Sequence[Idea]) -> LineState:
    with transaction.atomic():
        locks.hold(line)
        if line.state not in UNDECIDED:  # somebody was faster
            return LineState(line.state)
        line.proposals.all().delete()
        BankProposal.objects.bulk_create(BankProposal.of(line, idea) for idea in found)
        line.state = _state(line, found)
        line.save(update_fields=["state"])
    return LineState(line.state)


def _state(line: BankTransaction, found: Sequence[Idea]) -> LineState:
    if found:
        return LineState.PROPOSED
    nothing_to_do = not line.is_credit and not reversals.is_one(line)
    return LineState.OUTGOING if nothing_to_do else LineState.UNMATCHED
