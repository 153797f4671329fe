"""One of several processes that pay one invoice at once, in threads, through the real functions.

Says "ready", waits for a line on its standard input, pays, and says as JSON what came of it. What is
Django's is imported where it is used: this file is read before Django is set up.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from unittest import mock

import django

if TYPE_CHECKING:
    from tallystick.billing.invoices import Invoice
    from tallystick.kit.money import Money

R = TypeVar("R")
DAY = date(2026, 3, 1)


@dataclass(frozen=True)
class Plan:
    """What one process does: `count` attempts by `threads`, of `part` each, or of all that is due;
    `first` is the number of its first. `waiting`: payments that wait for word. `without`: the lock
    that is taken away."""

    invoice: int
    first: int
    count: int
    threads: int
    waiting: list[int]
    part: str = ""
    without: str = ""


def main() -> None:
    plan = Plan(**json.loads(sys.argv[1]))
    from django.db import connections

    from tallystick.billing import locks, methods
    from tallystick.billing.tests.test_payments import Slow

    methods.register(Slow())
    if plan.without:
        connections.databases["default"]["OPTIONS"].pop("transaction_mode", None)
    with mock.patch.object(locks, "for_update", _unlocked if plan.without else locks.for_update):
        print("ready", flush=True)  # noqa: T201 - to the test
        sys.stdin.readline()
        print(json.dumps(pay_all(plan)), flush=True)  # noqa: T201 - to the test


def pay_all(plan: Plan) -> dict[str, object]:
    """How often each came about, and what would have been an error 500."""
    tasks = attempts(plan)
    gate = threading.Barrier(plan.threads)
    begun = threading.local()

    def run(task: Callable[[], object]) -> object:
        if not getattr(begun, "waited", False):
            begun.waited = True
            gate.wait()
        return _outcome(task)

    with ThreadPoolExecutor(plan.threads) as pool:
        outcomes = list(pool.map(run, tasks))
    wrong = [str(outcome) for outcome in outcomes if isinstance(outcome, BaseException)]
    fine = Counter(outcome for outcome in outcomes if isinstance(outcome, str))
    return {"outcomes": fine, "unexpected": [error[:300] for error in wrong]}


def _outcome(task: Callable[[], object]) -> object:
    from django.db import close_old_connections

    from tallystick.billing.errors import BillingError

    close_old_connections()
    try:
        task()
    except BillingError as error:
        return error.code
    except Exception as error:  # noqa: BLE001 - whatever it is, the test judges it
        return error
    return "done"


def attempts(plan: Plan) -> list[Callable[[], object]]:
    """From the wallet, by hand, told by an outside system, and word of what waits, both by webhook
    and by the page that people come back to; some of each say the same thing twice."""
    kinds = [_wallet, _manual, _external, _again, _word]
    numbers = range(plan.first, plan.first + plan.count)
    tasks: list[Callable[[], object]] = [
        partial(kinds[number % len(kinds)], plan, number) for number in numbers
    ]
    random.Random(plan.first).shuffle(tasks)
    return tasks


def _invoice(plan: Plan) -> Invoice:
    from tallystick.billing.invoices import Invoice

    return Invoice.objects.everywhere().select_related("website", "client").get(pk=plan.invoice)


def _money(plan: Plan, invoice: Invoice) -> Money:
    from tallystick.kit.money import Money

    return Money(Decimal(plan.part), invoice.currency) if plan.part else invoice.total


def _wallet(plan: Plan, number: int) -> None:
    from tallystick.billing.payments import pay

    invoice = _invoice(plan)
    key = f"form-{number % 100}" if number % 3 == 0 else ""
    pay(invoice, _money(plan, invoice), method="wallet", by=None, key=key)


def _manual(plan: Plan, number: int) -> None:
    from tallystick.billing.payments import mark_paid, pay

    invoice = _invoice(plan)
    if plan.part or number % 2:
        pay(invoice, _money(plan, invoice), method="manual", by=None)
    else:
        mark_paid(invoice, by=None)


def _external(plan: Plan, number: int) -> None:
    _told(plan, f"T{number}")


def _again(plan: Plan, number: int) -> None:
    _told(plan, f"T-again-{number % 2}")


def _told(plan: Plan, reference: str) -> None:
    from tallystick.billing.payments import receive_external

    invoice = _invoice(plan)
    amount = _money(plan, invoice).amount
    receive_external(invoice, amount=amount, reference=reference, date=DAY, method="xero")


def _word(plan: Plan, number: int) -> None:
    from tallystick.billing.payments import Payment

    pk = plan.waiting[number % len(plan.waiting)]
    Payment.objects.everywhere().get(pk=pk).succeed(reference=f"ch_{number}")


def _unlocked(rows: R) -> R:
    return rows


def as_argument(plan: Plan) -> str:
    return json.dumps(asdict(plan))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    main()
