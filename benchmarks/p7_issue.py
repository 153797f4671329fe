"""P7: invoices of three lines created and issued a second, beside django-invoicing.

    python -m benchmarks.p7_issue --postgres postgres://root@/bench [--rows 1000000] [--rounds 9]

Ours and the peer take turns, ten rounds of `--count` each; then 8 processes issue in one series;
then the same with `--rows` invoices (with their lines, events and e-mails) already there. What is
timed includes number, totals, journal, payment link and the mail's row, and the commit.
The database named is emptied and filled.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from decimal import Decimal
from multiprocessing.synchronize import Barrier
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallystick.accounts.models import Account, Website
    from tallystick.billing.lines import LineDraft

# What differs from row to row; everything else is copied from one invoice made the usual way.
OLD = {
    "billing_invoice": {
        "id": "1000000 + n",
        "uid": "gen_random_uuid()",
        "reference_id": "'OLD' || n",
        "key": "'old' || n",
        "number": "'OLD-' || n",
        "payment_token": "'INV-OLD' || n || '-' || md5(n::text) || md5((n + 1)::text)",
        "created_at": "created_at - n * interval '1 minute'",
    },
    "billing_invoiceline": {"id": "1000000 + 3 * n + position", "invoice_id": "1000000 + n"},
    "billing_email": {
        "id": "1000000 + n",
        "uid": "gen_random_uuid()",
        "invoice_id": "1000000 + n",
        "state": "'done'",
    },
    "events_event": {"id": "10000000 + 2 * n + mod(id, 2)", "subject_id": "(1000000 + n)::text"},
}
TEMPLATE = {
    "billing_invoice": "id = {id}",
    "billing_invoiceline": "invoice_id = {id}",
    "billing_email": "invoice_id = {id}",
    "events_event": "subject_type = 'billing.invoice' AND subject_id = '{id}'",
}


def main() -> None:
    arguments = _arguments()
    _set_up(arguments.postgres)
    peer = _Peer(arguments.postgres)
    queries = _queries()
    result: dict[str, object] = {"queries": queries}
    result |= _beside(peer, arguments.rounds, arguments.count)
    result |= _issuers(arguments.issuers, arguments.count, "issuers")
    _fill(arguments.rows)
    result |= {"rows": arguments.rows, "queries_full": _queries()}
    full = [_rate(arguments.count) for _ in range(arguments.rounds)]
    result["ours_full"] = round(statistics.median(full), 1)
    result["flat"] = round(statistics.median(full) / float(str(result["ours"])), 2)
    result |= _issuers(arguments.issuers, arguments.count, "issuers_full")
    peer.close()
    for name, value in result.items():
        print(f"{name:20} {value}")
    print(json.dumps({"name": "P7", **result}))


class _Peer:
    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.peer_invoicing", url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.queries = 0

    def rate(self, count: int) -> float:
        assert self._process.stdin
        assert self._process.stdout
        print(count, file=self._process.stdin, flush=True)
        seconds, queries = self._process.stdout.readline().split()
        self.queries = int(queries)
        return count / float(seconds)

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def _beside(peer: _Peer, rounds: int, count: int) -> dict[str, object]:
    _rate(20)
    peer.rate(20)
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_rate(count))
        theirs.append(peer.rate(count))
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return {
        "ours": round(statistics.median(ours), 1),
        "peer": round(statistics.median(theirs), 1),
        "peer_queries": peer.queries,
        "ratio": round(statistics.median(ratios), 2),
        "ratios": [round(ratio, 2) for ratio in sorted(ratios)],
    }


def _set_up(url: str) -> None:
    os.environ.update(
        DATABASE_URL=url, SECRET_KEY="bench", FIELD_KEYS=f"bench:{'A' * 43}=", JOURNAL_KEY="bench"
    )
    os.environ["DEBUG"] = ""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tallystick.settings")
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    call_command("migrate", verbosity=0)


def _account() -> Account:
    from django.contrib.auth import get_user_model

    from tallystick.accounts.models import Account, Website

    website, _ = Website.objects.get_or_create(
        domain="bench.example", defaults={"name": "Bench", "sender_email": "bench@bench.example"}
    )
    user, _ = get_user_model().objects.get_or_create(
        username="bench", defaults={"email": "bench@client.example"}
    )
    account = Account.open_for_user(user, website)
    related = ("website", "user", "organisation")
    return Account.objects.everywhere().select_related(*related).get(pk=account.pk)


def _lines(website: Website) -> list[LineDraft]:
    from tallystick.billing.lines import LineDraft
    from tallystick.billing.taxes import TaxRate

    rate, _ = TaxRate.objects.of(website).get_or_create(
        code="std", defaults={"website": website, "name": "VAT", "percent": Decimal(19)}
    )
    return [LineDraft("Work", unit_price=Decimal(price), tax_rate=rate) for price in (10, 20, 30)]


def _issue(account: Account, lines: list[LineDraft]) -> int:
    from tallystick.billing.invoices import Invoice

    return Invoice.objects.bill(account=account, lines=lines).pk


def _rate(count: int) -> float:
    """Invoices a second."""
    account = _account()
    lines = _lines(account.website)
    began = time.perf_counter()
    for _ in range(count):
        _issue(account, lines)
    return count / (time.perf_counter() - began)


def _queries() -> int:
    """All statements of one invoice but the marks of transactions."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    account = _account()
    lines = _lines(account.website)
    _issue(account, lines)
    with CaptureQueriesContext(connection) as queries:
        _issue(account, lines)
    marks = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
    return sum(not query["sql"].startswith(marks) for query in queries)


def _issuers(processes: int, count: int, name: str) -> dict[str, object]:
    """Issued a second by all of them together, in one series; and whether it is without gaps."""
    from django.db import connections

    before = _numbers()
    connections.close_all()
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(processes + 1)
    workers = [context.Process(target=_issuer, args=(gate, count)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    gate.wait()
    began = time.perf_counter()
    for worker in workers:
        worker.join()
    took = time.perf_counter() - began
    numbers = _numbers()
    assert len(numbers) == len(before) + processes * count
    assert numbers == list(range(1, len(numbers) + 1)), "there is a gap"
    return {name: round(processes * count / took, 1)}


def _issuer(gate: Barrier, count: int) -> None:
    _rate(3)
    gate.wait()
    _rate(count - 3)


def _numbers() -> list[int]:
    from tallystick.billing.invoices import Invoice

    ours = Invoice.objects.of(_account().website).filter(number__startswith="INV-")
    return sorted(int(number[-5:]) for number in ours.values_list("number", flat=True))


def _fill(rows: int) -> None:
    """Copy one issued invoice, with all that belongs to it, `rows` times."""
    from benchmarks.filling import copy, settle

    account = _account()
    pk = _issue(account, _lines(account.website))
    for table, differing in OLD.items():
        copy(table, TEMPLATE[table].format(id=pk), differing, 1, rows)
    settle(*OLD)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--postgres", required=True)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--issuers", type=int, default=8)
    return parser.parse_args()


if __name__ == "__main__":
    main()
