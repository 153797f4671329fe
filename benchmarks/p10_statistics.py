"""P10: statistics of a million invoices, beside a recount, and what keeping them costs.

    python -m benchmarks.p10_statistics --postgres postgres://root@/bench [--rows 1000000]
    python -m benchmarks.p10_statistics [--rows 1000000]                          (SQLite)

Invoices, with a payment for four in five, are written straight into the tables: five years, three
websites, three currencies. The rollup is made of what each document counts for, and
held against a recount by SQL, to the cent. Then figures and recount are timed in turn, for all time, a
year and a month; and invoices are billed with and without their notes in turn, which is the share of
P7 that the notes cost.
"""

from __future__ import annotations

import argparse
import json
import statistics as numbers
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from benchmarks.stage import own_database

if TYPE_CHECKING:
    from tallystick.accounts.models import Account, Website
    from tallystick.billing.lines import LineDraft
    from tallystick.billing.statistics import Figures

TODAY = date(2026, 6, 30)
DAYS = 5 * 365
CURRENCIES = ("EUR", "GBP", "USD")
WEBSITES = 3
PAGE = 5000
PERIODS = {
    "all time": (None, None),
    "a year": (date(2025, 7, 1), TODAY),
    "a month": (date(2026, 6, 1), TODAY),
    "odd days": (date(2024, 2, 11), date(2026, 3, 17)),
}


def main() -> None:
    arguments = _arguments()
    with own_database(arguments.postgres):
        result = _run(arguments)
    for name, value in result.items():
        print(f"{name:44} {value}")
    print(json.dumps({"name": "P10", **result}))


def _run(arguments: argparse.Namespace) -> dict[str, object]:
    from django.db import connection

    result: dict[str, object] = {"database": connection.vendor, "rows": arguments.rows}
    websites = [_account(number).website for number in range(WEBSITES)]
    result |= _notes(arguments.rounds, arguments.count)
    result["fill, seconds"] = _timed(lambda: _fill(arguments.rows, websites))
    result["fold, seconds"] = _timed(_fold)
    _same(websites)
    if arguments.recount:
        result["the product's recount, seconds"] = _timed(lambda: _recount(websites[1]))
    for name, (start, end) in PERIODS.items():
        result |= _timings(name, websites, start, end, arguments.times)
    result["p50 at 1,000 waiting deltas, ms"] = _with_deltas(websites, arguments.times)
    return result


def _account(number: int) -> Account:
    from django.contrib.auth import get_user_model

    from tallystick.accounts.models import Account, Website

    website, _ = Website.objects.get_or_create(
        domain=f"bench{number}.example",
        defaults={"name": f"Bench {number}", "sender_email": "bench@bench.example"},
    )
    user, _ = get_user_model().objects.get_or_create(
        username=f"bench{number}", defaults={"email": f"bench{number}@client.example"}
    )
    account = Account.open_for_user(user, website)
    related = ("website", "user", "organisation")
    return Account.objects.everywhere().select_related(*related).get(pk=account.pk)


# -- what the notes cost


def _notes(rounds: int, count: int) -> dict[str, object]:
    """The share of P7, from rounds with and without the notes in turn."""
    account = _account(0)
    lines = _lines(account.website)
    _billed(account, lines, 20)
    shares, rates = [], []
    for number in range(rounds):
        kept, left = 0.0, 0.0
        # The one that comes first is another each time: machines warm up.
        for noted in (True, False) if number % 2 else (False, True):
            if noted:
                kept = _billed(account, lines, count)
            else:
                with _unnoted():
                    left = _billed(account, lines, count)
        shares.append(kept / left - 1)
        rates.append(count / kept)
        _fold()
    return {
        "billed a second": round(numbers.median(rates), 1),
        "the notes cost, per cent of P7": round(numbers.median(shares) * 100, 1),
        "from, to": [round(min(shares) * 100, 1), round(max(shares) * 100, 1)],
    }


def _billed(account: Account, lines: list[LineDraft], count: int, currency: str = "CHF") -> float:
    """Seconds. In a currency of their own, unless said otherwise: some are left out of the rollup."""
    from tallystick.billing.invoices import Invoice

    began = time.perf_counter()
    for _ in range(count):
        Invoice.objects.bill(account=account, lines=lines, currency=currency)
    return time.perf_counter() - began


def _lines(website: Website) -> list[LineDraft]:
    from tallystick.billing.lines import LineDraft
    from tallystick.billing.taxes import TaxRate

    rate, _ = TaxRate.objects.of(website).get_or_create(
        code="std", defaults={"website": website, "name": "VAT", "percent": Decimal(19)}
    )
    return [LineDraft("Work", unit_price=Decimal(price), tax_rate=rate) for price in (10, 20, 30)]


@contextmanager
def _unnoted() -> Iterator[None]:
    """Invoices are issued without a note, as if nobody kept statistics."""
    from tallystick.billing import statistics

    noted = statistics.note
    statistics.note = lambda document: None
    try:
        yield
    finally:
        statistics.note = noted


def _fold() -> None:
    from tallystick.billing import statistic_rows

    while statistic_rows.fold(10_000):
        pass


# -- a million invoices


def _fill(rows: int, websites: list[Website]) -> None:
    """Invoices and payments as the verbs would have left them, and the rollup of them."""
    from django.db import transaction

    from tallystick.billing.invoices import Invoice
    from tallystick.billing.payment_rows import Payment
    from tallystick.billing.statistic_notes import counts_of
    from tallystick.billing.statistic_rows import add, total

    accounts = [_account(number) for number in range(len(websites))]
    counts: list[Any] = []
    for first in range(0, rows, PAGE):
        invoices = [
            _invoice(n, accounts[n % WEBSITES]) for n in range(first, min(first + PAGE, rows))
        ]
        Invoice.objects.bulk_create(invoices)
        payments = [_payment(n, each) for n, each in enumerate(invoices, first) if each.amount_paid]
        Payment.objects.bulk_create(payments)
        for document in (*invoices, *payments):
            counts.extend(counts_of(document).items())
        counts = list(total(counts).items())
    with transaction.atomic():
        add(dict(counts))


def _invoice(n: int, account: Account) -> Any:  # noqa: ANN401 - an Invoice
    from tallystick.billing import tokens
    from tallystick.billing.invoices import Invoice

    issued = TODAY - timedelta(days=n * 7919 % DAYS)
    amount = Decimal(1000 + n * 104729 % 500_000) / 100
    state = _state(n)
    paid = {"paid": amount, "partially_paid": Decimal(int(amount / 2))}.get(state, Decimal(0))
    at = _noon(issued + timedelta(days=n * 31 % 60))
    return Invoice(
        website=account.website,
        client=account,
        reference_id=f"B{n}",
        payment_token=tokens.new_payment_token(f"B{n}"),
        key=f"bench{n}",
        number=f"B-{n}",
        title="Bench",
        currency=CURRENCIES[n // WEBSITES % len(CURRENCIES)],
        amount=amount,
        subtotal=amount,
        amount_paid=paid,
        status=state,
        issue_date=issued,
        due_date=issued + timedelta(days=30),
        issued_at=_noon(issued),
        paid_at=at if state == "paid" else None,
        voided_at=at if state == "void" else None,
        written_off_at=at if state == "uncollectible" else None,
        created_at=_noon(issued),
    )


def _state(n: int) -> str:
    """Of a hundred: 80 paid, 3 in part, 14 open, 2 void, 1 written off."""
    place = n * 37 % 100
    bounds = ((80, "paid"), (83, "partially_paid"), (97, "open"), (99, "void"))
    return next((state for bound, state in bounds if place < bound), "uncollectible")


def _payment(n: int, invoice: Any) -> Any:  # noqa: ANN401 - of an Invoice
    from tallystick.billing.payment_rows import Payment

    at = invoice.paid_at or _noon(invoice.issue_date + timedelta(days=5))
    return Payment(
        website_id=invoice.website_id,
        account_id=invoice.client_id,
        invoice=invoice,
        method=("bank_transfer", "stripe", "paypal", "wallet")[n // 7 % 4],
        amount=invoice.amount_paid,
        currency=invoice.currency,
        status="succeeded",
        key=f"bench{n}",
        received_on=at.date(),
        succeeded_at=at,
    )


def _noon(day: date) -> Any:  # noqa: ANN401 - a datetime
    from datetime import UTC, datetime, time

    return datetime.combine(day, time(12), UTC)


# -- figures beside a recount

_RECOUNT = """
SELECT count(*), COALESCE(sum(amount), 0) FROM billing_invoice
WHERE website_id IN ({websites}) AND currency = %s AND status <> 'draft'
  AND issue_date >= %s AND issue_date <= %s
UNION ALL
SELECT count(*), COALESCE(sum(amount), 0) FROM billing_payment
WHERE website_id IN ({websites}) AND currency = %s AND method <> 'wallet'
  AND status IN ('succeeded', 'refunded', 'disputed') AND received_on >= %s AND received_on <= %s
UNION ALL
SELECT count(*), COALESCE(sum(amount - amount_paid - amount_credited), 0) FROM billing_invoice
WHERE website_id IN ({websites}) AND currency = %s AND status IN ('open', 'partially_paid')
  AND (due_date >= %s OR due_date <= %s)
"""


def _figures(websites: list[Website], currency: str, start: Any, end: Any) -> Figures:  # noqa: ANN401 - dates
    from tallystick.billing import statistics

    return statistics.figures(websites, currency=currency, start=start, end=end)


def _by_sql(websites: list[Website], currency: str, start: Any, end: Any) -> list[Any]:  # noqa: ANN401 - dates
    """Number and sum of what was invoiced, collected, and is owed."""
    from django.db import connection

    ids = ", ".join(str(website.pk) for website in websites)
    span: list[Any] = [currency, start or date(1990, 1, 1), end or date(2199, 12, 31)]
    owed: list[Any] = [currency, date(1990, 1, 1), date(2199, 12, 31)]
    with connection.cursor() as cursor:
        cursor.execute(_RECOUNT.format(websites=ids), [*span, *span, *owed])
        return [
            (number, Decimal(str(total)).quantize(Decimal("0.01")))
            for number, total in cursor.fetchall()
        ]


def _same(websites: list[Website]) -> None:
    """Equal to the cent, for each website and all, each currency, each period."""
    for chosen in ([websites[0]], websites):
        for currency in CURRENCIES:
            for start, end in PERIODS.values():
                found = _figures(chosen, currency, start, end)
                mine = [
                    (total.number, total.amount)
                    for total in (found.invoiced, found.collected, found.outstanding)
                ]
                assert mine == _by_sql(chosen, currency, start, end), (currency, start, end)


def _recount(website: Website) -> None:
    from tallystick.billing import statistic_recounts

    assert list(statistic_recounts.differences(website)) == []


def _timings(
    name: str,
    websites: list[Website],
    start: Any,  # noqa: ANN401 - a date or none
    end: Any,  # noqa: ANN401 - the same
    times: int,
) -> dict[str, object]:
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(times):
        ours.append(_timed(lambda: _figures(websites, "EUR", start, end)))
        if len(theirs) < max(times // 20, 3):
            theirs.append(_timed(lambda: _by_sql(websites, "EUR", start, end)))
    return {
        f"{name}: p50, p95 ms": [_ms(numbers.median(ours)), _ms(sorted(ours)[int(times * 0.95)])],
        f"{name}: recount by SQL, p50 ms": _ms(numbers.median(theirs)),
    }


def _with_deltas(websites: list[Website], times: int) -> float:
    """A worker that is behind by about 330 invoices."""
    account = _account(0)
    _billed(account, _lines(account.website), 333, "EUR")
    return _ms(
        numbers.median(_timed(lambda: _figures(websites, "EUR", None, None)) for _ in range(times))
    )


def _timed(deed: Callable[[], object]) -> float:
    began = time.perf_counter()
    deed()
    return round(time.perf_counter() - began, 5)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--postgres", default="")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--recount", action="store_true", help="also by the product, which is slow")
    return parser.parse_args()


if __name__ == "__main__":
    main()
