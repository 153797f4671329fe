"""P6: 50 Xero invoices out and 100 in, against xero-python and against the least that does it.

    python -m benchmarks.p6_xero_records [--rounds 40]

CPU time, no network: out is records to the bytes of the body, in is the bytes of a page to records.
The least builds dicts by hand without checking, and reads them with `json`. All take turns. Needs
xero-python, which is installed into `.venv-bench` on the first run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import httpx2
from pydantic_core import to_json

from benchmarks import peers
from tallystick.ports.exchange import Line as HttpLine
from tallystick.ports.records import (
    Invoice,
    InvoiceStatus,
    Kind,
    Line,
    Ref,
    Remote,
    RemoteInvoice,
    RemotePayment,
    Tax,
)
from tallystick.ports.roles import Push
from tallystick.ports.samples import invoice
from tallystick.providers.xero import XeroSettings
from tallystick.providers.xero.api import XeroApi
from tallystick.providers.xero.invoices import Invoices
from tallystick.providers.xero.reading import remote_invoice
from tallystick.providers.xero.schema import InvoiceStates
from tallystick.providers.xero.taxes import TaxTypes

ROOT = Path(__file__).resolve().parents[1]
OUT, IN = 50, 100
BUYER = "5b0e2f6c-1d2a-4a57-9d5b-3f5f0e6a7c11"
VAT = Tax("standard", Decimal(20))
SETTINGS = XeroSettings.model_validate(
    {
        "client_id": "x",
        "client_secret": "x",
        "tenant_id": "x",
        "account_code": "200",
        "currency_code": "GBP",
        "tax_types": {"20": "OUTPUT2"},
    }
)
Work = Callable[[], object]


def main() -> None:
    arguments = _arguments()
    if find_spec("xero_python") is None:
        peers.run_again("benchmarks.p6_xero_records")
    records, page = _records(), _page()
    jobs: dict[str, dict[str, Work]] = {
        f"{OUT} out": {
            "ours": _ours_out(records),
            "xero-python": _peer_out(records),
            "least": lambda: _least_out(records),
        },
        f"{IN} in": {
            "ours": lambda: _ours_in(page),
            "xero-python": _peer_in(page),
            "least": lambda: _least_in(page),
        },
    }
    assert _ours_in(page) == _least_in(page)
    results = {name: _measured(works, arguments.rounds) for name, works in jobs.items()}
    results["both"] = _summed(results)
    imports = {
        name: _import(name) for name in ("tallystick.providers.xero", "xero_python.accounting")
    }
    _show(results, imports)
    print(json.dumps({"name": "P6", "results": results, "imports": imports}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    return parser.parse_args()


def _measured(works: dict[str, Work], rounds: int) -> dict[str, float]:
    """Median milliseconds of CPU of each, and the median of ours to the peer's in one round."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(rounds):
        for name, work in works.items():
            started = time.process_time()
            for _ in range(5):
                work()
            taken[name].append((time.process_time() - started) * 1000 / 5)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    pairs = zip(taken["ours"], taken["xero-python"], strict=True)
    return {**medians, "ratio": statistics.median(ours / peer for ours, peer in pairs)}


def _summed(results: dict[str, dict[str, float]]) -> dict[str, float]:
    names = ("ours", "xero-python", "least")
    total = {name: sum(each[name] for each in results.values()) for name in names}
    return {**total, "ratio": total["ours"] / total["xero-python"]}


def _import(module: str) -> dict[str, float | bool]:
    """Seconds, MiB and whether Django came along, in a new process; the median of five."""
    program = (
        "import re, sys, time\n"
        # Not ru_maxrss: a new process inherits that of the one that started it.
        "status = lambda: open('/proc/self/status').read()\n"
        "peak = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', status())[1]) / 1024\n"
        "before, started = peak(), time.perf_counter()\n"
        f"import {module}\n"
        "print(time.perf_counter() - started, peak() - before, 'django' in sys.modules)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
        for _ in range(5)
    ]
    split = [run.stdout.split() for run in runs]
    return {
        "seconds": statistics.median(float(each[0]) for each in split),
        "mib": statistics.median(float(each[1]) for each in split),
        "django": any(each[2] == "True" for each in split),
    }


def _show(
    results: dict[str, dict[str, float]], imports: dict[str, dict[str, float | bool]]
) -> None:
    print(f"{'CPU ms':10}{'ours':>10}{'xero-python':>13}{'least':>10}{'ratio':>8}")
    for name, each in results.items():
        print(
            f"{name:10}{each['ours']:>10.2f}{each['xero-python']:>13.2f}"
            f"{each['least']:>10.2f}{each['ratio']:>8.2f}"
        )
    for name, each in imports.items():
        print(
            f"import {name}: {each['seconds']:.3f} s, {each['mib']:.1f} MiB, Django {each['django']}"
        )


# -- what goes out


def _records() -> list[Invoice]:
    lines = tuple(
        Line(
            description=f"Lesson {n}, an hour with instruments",
            quantity=Decimal(n),
            unit_price=Decimal("12.50"),
            amount=Decimal("12.50") * n,
            tax_amount=Decimal("2.50") * n,
            tax=VAT,
            product=Ref(Kind.PRODUCT, f"p-{n}", BUYER),
            product_code=f"lesson-{n}",
        )
        for n in (1, 2, 3)
    )
    template = invoice(0, "GBP", VAT, [Ref(Kind.CUSTOMER, "c-1", BUYER)], [])
    total = Decimal("75.00")
    return [
        replace(
            template,
            key=f"i-{n:032x}",
            number=f"2026-{n:04d}",
            lines=lines,
            subtotal=total,
            tax=Decimal("15.00"),
            total=Decimal("90.00"),
        )
        for n in range(OUT)
    ]


def _ours_out(records: list[Invoice]) -> Work:
    nowhere = httpx2.MockTransport(lambda _: httpx2.Response(500))
    api = XeroApi("Xero", SETTINGS.base_url, line=HttpLine(transport=nowhere))
    invoices = Invoices(api, SETTINGS, TaxTypes(api, SETTINGS))
    pushes = [Push(record) for record in records]
    return lambda: to_json({"Invoices": [invoices.payload(push) for push in pushes]})


def _peer_out(records: list[Invoice]) -> Work:
    from xero_python import accounting
    from xero_python.api_client.serializer import serialize

    def model(record: Invoice) -> object:
        return accounting.Invoice(
            type="ACCREC",
            status="AUTHORISED",
            invoice_number=record.number,
            contact=accounting.Contact(contact_id=record.customer.remote_id),
            date=record.date,
            due_date=record.due_date,
            currency_code=accounting.CurrencyCode(record.currency),
            line_amount_types=accounting.LineAmountTypes("Exclusive"),
            reference=record.reference,
            url=record.url,
            line_items=[
                accounting.LineItem(
                    description=line.description,
                    quantity=line.quantity,
                    unit_amount=line.unit_price,
                    line_amount=line.amount,
                    tax_amount=line.tax_amount,
                    tax_type="OUTPUT2",
                    account_code="200",
                    item_code=line.product_code,
                )
                for line in record.lines
            ],
        )

    def work() -> object:
        invoices = accounting.Invoices(invoices=[model(record) for record in records])
        return json.dumps(serialize(invoices)).encode()

    return work


def _least_out(records: list[Invoice]) -> bytes:
    return json.dumps(
        {
            "Invoices": [
                {
                    "Type": "ACCREC",
                    "Status": "AUTHORISED",
                    "InvoiceNumber": record.number,
                    "Contact": {"ContactID": record.customer.remote_id},
                    "Date": record.date.isoformat(),
                    "DueDate": record.due_date.isoformat(),
                    "CurrencyCode": record.currency,
                    "LineAmountTypes": "Exclusive",
                    "Reference": record.reference,
                    "Url": record.url,
                    "LineItems": [
                        {
                            "Description": line.description,
                            "Quantity": float(line.quantity),
                            "UnitAmount": float(line.unit_price),
                            "LineAmount": float(line.amount),
                            "TaxAmount": float(line.tax_amount),
                            "TaxType": "OUTPUT2",
                            "AccountCode": "200",
                            "ItemCode": line.product_code,
                        }
                        for line in record.lines
                    ],
                }
                for record in records
            ]
        }
    ).encode()


# -- what comes in


def _page() -> bytes:
    fixture = ROOT / "tallystick" / "providers" / "xero" / "fixtures" / "invoices_page.json"
    template = json.loads(fixture.read_text())["Invoices"][0]
    template["LineItems"] = [template["LineItems"][0]] * 3
    invoices = [
        {
            **template,
            "InvoiceID": f"c1a5d7e2-9b31-4f0e-8a6d-{n:012d}",
            "InvoiceNumber": f"2026-{n:04d}",
            "UpdatedDateUTC": f"/Date({1_768_471_200_117 + n}+0000)/",
        }
        for n in range(IN)
    ]
    return json.dumps({"Invoices": invoices}).encode()


def _ours_in(page: bytes) -> list[RemoteInvoice]:
    return [remote_invoice(state) for state in InvoiceStates.model_validate_json(page).invoices]


def _peer_in(page: bytes) -> Work:
    from xero_python import accounting
    from xero_python.api_client import ModelFinder
    from xero_python.api_client.deserializer import deserialize

    finder = ModelFinder(accounting)
    return lambda: deserialize("Invoices", json.loads(page, parse_float=Decimal), finder)


def _least_in(page: bytes) -> list[RemoteInvoice]:
    read = json.loads(page, parse_float=Decimal)["Invoices"]
    return [
        RemoteInvoice(
            remote=Remote(
                invoice["InvoiceID"],
                _moment(invoice["UpdatedDateUTC"]).isoformat(),
                "https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID="
                + invoice["InvoiceID"],
            ),
            number=invoice["InvoiceNumber"],
            status=InvoiceStatus.PARTIALLY_PAID,
            currency=invoice["CurrencyCode"],
            total=invoice["Total"],
            amount_due=invoice["AmountDue"],
            amount_paid=invoice["AmountPaid"],
            amount_credited=invoice["AmountCredited"],
            updated_at=_moment(invoice["UpdatedDateUTC"]),
            customer_id=invoice["Contact"]["ContactID"],
            payments=tuple(
                RemotePayment(
                    Remote(payment["PaymentID"]),
                    payment["Amount"],
                    _moment(payment["Date"]).date(),
                    payment["Reference"],
                )
                for payment in invoice["Payments"]
            ),
        )
        for invoice in read
    ]


def _moment(text: str) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text[6:-7]))


if __name__ == "__main__":
    main()
