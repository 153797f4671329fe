"""Many at once, each on a connection of its own. Every promise has a control: without the lock that
keeps it, the same test must fail."""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection, models, transaction

from tallystick.accounts.models import Account, Website
from tallystick.billing import locks, numbering
from tallystick.billing.credit_notes import issue_credit_note
from tallystick.billing.emails import PAYMENT_RECEIVED, Email
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice, NotADraft
from tallystick.billing.payment_rows import Payment
from tallystick.billing.payments import (
    mark_paid,
    pay,
    pay_many,
    receive_external,
    receive_external_refund,
    refund,
)
from tallystick.billing.tests import making
from tallystick.billing.tests.making import D, eur
from tallystick.billing.tests.test_ledger import Snapshot
from tallystick.billing.wallets import Wallet, WalletEntry
from tallystick.events.models import Event
from tallystick.kit.money import Money

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.usefixtures("healthy"),
]
# SQLite has one writer at a time: there is no lock to take away.
postgres = pytest.mark.postgres
WORKERS = 50


def at_once(tasks: Sequence[Callable[[], object]]) -> list[object]:
    """What each task returned or raised. The first `WORKERS` start in the same moment."""
    gate = threading.Barrier(min(WORKERS, len(tasks)))
    begun = threading.local()

    def run(task: Callable[[], object]) -> object:
        if not getattr(begun, "waited", False):
            begun.waited = True
            gate.wait()
        try:
            return task()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test judges it
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(gate.parties) as pool:
        return list(pool.map(run, tasks))


def unexpected(results: Sequence[object]) -> list[object]:
    """What would have been an error 500."""
    return [r for r in results if isinstance(r, Exception) and not isinstance(r, BillingError)]


def fresh(invoice: Invoice) -> Invoice:
    return Invoice.objects.everywhere().get(pk=invoice.pk)


class RolledBack(BillingError):
    """On purpose."""


def issue_all(account: Account, seed: int) -> list[object]:
    luck = random.Random(seed)
    drafts = [fresh(making.draft(account)) for _ in range(100)]
    return at_once([partial(issue, draft, fails=luck.random() < 0.3) for draft in drafts])


def issue(invoice: Invoice, *, fails: bool) -> str:
    with transaction.atomic():
        invoice.issue()
        if fails:
            raise RolledBack
    return invoice.number


def check_numbers(account: Account, results: Sequence[object]) -> None:
    """Numbers run from 1 without gap or repeat, as many as were issued; nobody saw an error 500."""
    assert unexpected(results) == []
    issued = Invoice.objects.of(account.website).exclude(number="")
    numbers = sorted(int(number[-5:]) for number in issued.values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) == sum(isinstance(result, str) for result in results)


def test_numbers_are_gapless_under_a_hundred_issuers(account: Account) -> None:
    results = issue_all(account, seed=7)
    check_numbers(account, results)
    failed = sum(isinstance(result, RolledBack) for result in results)
    assert 10 < failed < 60
    assert Email.objects.count() == 100 - failed


@postgres
@pytest.mark.control
def test_control_a_counter_that_is_read_and_written_apart_leaves_its_mark(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbering, "take", take_without_lock)
    results = issue_all(account, seed=7)
    with pytest.raises(AssertionError):
        check_numbers(account, results)


def take_without_lock(website: Website, code: str, day: object) -> str:
    """The number after the highest there is, as it is naively done."""
    del code, day
    highest = (
        Invoice.objects.of(website)
        .exclude(number="")
        .aggregate(highest=models.Max("number"))["highest"]
    )
    last = int(re.sub(r".*-", "", highest)) if highest else 0
    return f"{numbering.INVOICES}-{last + 1:05d}"


def test_one_draft_is_issued_once_by_many(account: Account) -> None:
    draft = making.draft(account)
    results = at_once([fresh(draft).issue for _ in range(20)])
    assert Counter(type(result) for result in results) == {type(None): 1, NotADraft: 19}
    assert Email.objects.count() == 1


def attempts(invoice: Invoice, each: int, seed: int) -> list[Callable[[], object]]:
    """`each` attempts of five kinds, shuffled: wallet, manual, one key over and over, told by an
    outside system, and the same told over and over."""
    amount = invoice.due
    day = invoice.website.today()

    def external(reference: str) -> object:
        return receive_external(
            fresh(invoice), amount=amount.amount, reference=reference, date=day, method="xero"
        )

    def wallet(key: str = "") -> object:
        return pay(fresh(invoice), amount, method="wallet", by=None, key=key)

    def manual() -> object:
        return mark_paid(fresh(invoice), by=None)

    tasks: list[Callable[[], object]] = []
    for n in range(each):
        tasks += [wallet, manual, partial(wallet, "one-form")]
        tasks += [partial(external, f"T{n}"), partial(external, "T-again")]
    random.Random(seed).shuffle(tasks)
    return tasks


def check_books(invoice: Invoice, funded: Money, results: Sequence[object]) -> None:
    """Paid once; every cent that came is on the invoice or in the wallet; one receipt for each
    payment; nobody saw an error 500."""
    assert unexpected(results) == []
    invoice = fresh(invoice)
    allocated = sum((each.amount for each in invoice.allocations.all()), Decimal(0))
    assert invoice.is_paid
    assert allocated == invoice.amount == invoice.amount_paid
    payments = list(Payment.objects.of(invoice.website).filter(status="succeeded"))
    from_outside = sum((p.amount for p in payments if p.method != "wallet"), Decimal(0))
    wallet = Wallet.of(invoice.client, invoice.currency)
    entries = list(wallet.entries.order_by("id"))
    assert wallet.balance == sum(entry.amount for entry in entries) == entries[-1].balance_after
    assert wallet.balance == funded.amount + from_outside - invoice.amount
    running = Decimal(0)
    for entry in entries:
        running += entry.amount
        assert entry.balance_after == running >= 0
    paid = Event.objects.of(invoice.website).filter(kind="invoice.paid")
    assert paid.count() == 1
    told = Email.objects.filter(key=PAYMENT_RECEIVED).values_list("payment", flat=True)
    assert sorted(told) == sorted(payment.pk for payment in payments)


def pay_at_once(account: Account, seed: int) -> tuple[Invoice, list[object]]:
    making.funded(account, "200")
    invoice = making.issued(account)
    return invoice, at_once(attempts(invoice, each=10, seed=seed))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_invoice_is_paid_once_under_fifty_attempts(account: Account, seed: int) -> None:
    invoice, results = pay_at_once(account, seed)
    told = [r for r in results if isinstance(r, Payment) and r.method == "xero"]
    assert len({payment.pk for payment in told}) == 11
    assert len(told) == 20
    check_books(invoice, eur("200"), results)


@postgres
@pytest.mark.control
def test_control_without_row_locks_the_books_are_wrong(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "for_update", lambda rows: rows)
    invoice, results = pay_at_once(account, seed=1)
    with pytest.raises(AssertionError):
        check_books(invoice, eur("200"), results)


def test_part_payments_add_up_to_the_total(account: Account) -> None:
    account.website.allow_part_payments = True
    account.website.save()
    making.funded(account, "1000")
    invoice = making.issued(account)
    results = at_once([partial(pay_by_wallet, invoice, eur("8"))] * 40)
    assert unexpected(results) == []
    invoice = fresh(invoice)
    assert (invoice.amount_paid, invoice.status) == (D(112), "partially_paid")
    assert sum(isinstance(result, Payment) for result in results) == 14
    assert Wallet.of(account, "EUR").money == eur("888.00")


def pay_by_wallet(invoice: Invoice, money: Money) -> Payment:
    return pay(fresh(invoice), money, method="wallet", by=None)


def test_one_wallet_pays_many_invoices_and_is_never_overdrawn(account: Account) -> None:
    wallet = making.funded(account, "500")
    invoices = [making.issued(account) for _ in range(20)]

    def take_out() -> object:
        own = Wallet.objects.everywhere().get(pk=wallet.pk)
        return own.debit(eur("5"), WalletEntry.Reason.CORRECTION)

    payments = [partial(pay_by_wallet, invoice, invoice.due) for invoice in invoices]
    results = at_once([*payments, *[take_out] * 20])
    assert unexpected(results) == []
    wallet.refresh_from_db()
    assert 0 <= wallet.balance < 119
    assert wallet.balance == sum(entry.amount for entry in wallet.entries.all())


def test_a_wallet_is_made_once(account: Account) -> None:
    results = at_once([lambda: Wallet.of(account, "EUR").pk] * 20)
    assert len(set(results)) == 1
    assert unexpected(results) == []


def test_one_key_makes_one_draft(account: Account) -> None:
    making.tax(account.website)
    results = at_once([lambda: making.draft(account, key="order-1").pk] * 20)
    assert len(set(results)) == 1, results


def test_void_and_pay_exclude_each_other(account: Account) -> None:
    for _ in range(5):
        invoice = making.issued(account)
        results = at_once([partial(void, invoice), partial(mark, invoice)] * 4)
        assert unexpected(results) == []
        after = fresh(invoice)
        assert after.amount_paid == (after.amount if after.is_paid else 0)
        assert after.status in ("paid", "void")


def void(invoice: Invoice) -> None:
    fresh(invoice).void(reason="race")


def mark(invoice: Invoice) -> Payment:
    return mark_paid(fresh(invoice), by=None)


def test_the_order_of_locks_lets_everyone_through(account: Account) -> None:
    making.funded(account, "1000")
    invoices = [making.issued(account) for _ in range(4)]
    results = at_once([partial(pay_by_wallet, invoices[n % 4], eur("119")) for n in range(24)])
    assert unexpected(results) == []
    assert sum(isinstance(result, Payment) for result in results) == 4


def test_refunds_disputes_and_credit_notes_exclude_each_other(account: Account) -> None:
    """Two payments of the same two invoices, and everything that takes from them, in both orders."""
    website = account.website
    website.allow_part_payments = True
    website.save()
    for seed in range(3):
        invoices = [making.issued(account) for _ in range(2)]
        shares = [(invoice, D("59.50")) for invoice in invoices]
        paid = [
            pay_many(account, order, method="manual", by=None, extra=D(10))
            for order in (shares, shares[::-1])
        ]
        tasks: list[Callable[[], object]] = []
        for payment in paid:
            tasks += [partial(give_back, payment, amount) for amount in ("20", "30", "119") * 2]
            tasks += [partial(told_of_refund, payment)] * 2
            tasks += [partial(disputed, payment, verdict) for verdict in ("win", "lose", "")]
        for invoice in invoices:
            tasks += [partial(credited, invoice, amount) for amount in ("30", "89", "119")]
            tasks += [partial(mark, invoice)] * 2
        random.Random(seed).shuffle(tasks)
        assert unexpected(at_once(tasks)) == []
    books = Snapshot(account)
    books.invoices_balance()
    books.payments_balance()
    books.every_cent_is_somewhere(D(0))
    books.the_wallet_is_its_entries()
    books.numbers_have_no_gap()


def known(payment: Payment) -> Payment:
    return Payment.objects.everywhere().get(pk=payment.pk)


def give_back(payment: Payment, amount: str) -> None:
    refund(known(payment), eur(amount), by=None, reason="race")


def told_of_refund(payment: Payment) -> None:
    day = payment.website.today()
    receive_external_refund(known(payment), amount=D(7), reference="R1", date=day)


def disputed(payment: Payment, verdict: str) -> None:
    row = known(payment)
    row.dispute("race", reference=verdict)
    if verdict:
        row.win_dispute() if verdict == "win" else row.lose_dispute()


def credited(invoice: Invoice, amount: str) -> None:
    issue_credit_note(fresh(invoice), reason="race", by=None, amount=eur(amount), refund=True)


@pytest.mark.parametrize("seed", [1, 2])
def test_one_payment_is_refunded_once(invoice: Invoice, seed: int) -> None:
    payment = mark_paid(invoice, by=None)
    results = at_once([partial(give_back, payment, str(20 + seed))] * 40)
    check_refunds(payment, results)
    done = 119 // (20 + seed)
    assert sum(result is None for result in results) == done
    assert known(payment).amount_refunded == done * (20 + seed)
    assert fresh(invoice).amount_paid == 119 - done * (20 + seed)


@postgres
@pytest.mark.control
def test_control_without_row_locks_a_payment_is_refunded_too_often(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = mark_paid(invoice, by=None)
    monkeypatch.setattr(locks, "for_update", lambda rows: rows)
    results = at_once([partial(give_back, payment, "21")] * 40)
    with pytest.raises(AssertionError):
        check_refunds(payment, results)


def check_refunds(payment: Payment, results: Sequence[object]) -> None:
    assert unexpected(results) == []
    returned = sum((row.amount for row in known(payment).refunds.all()), Decimal(0))
    assert returned == known(payment).amount_refunded <= payment.amount


def test_what_is_held_is_never_more_than_there_is(account: Account) -> None:
    wallet = making.funded(account, "100")

    def hold(n: int) -> None:
        own = Wallet.objects.everywhere().get(pk=wallet.pk)
        row = own.hold(eur("30"), reason="race", key=f"k{n}")
        if n % 3 == 0:
            row.capture(eur("10"))
        elif n % 3 == 1:
            row.release()

    results = at_once([partial(hold, n) for n in range(40)])
    assert unexpected(results) == []
    books = Snapshot(account)
    books.the_wallet_is_its_entries()
    assert books.wallet is not None
    assert books.wallet.balance < 100
