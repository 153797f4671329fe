"""P11: an invoice as PDF, of 3 and of 60 lines, beside WeasyPrint.

    python -m benchmarks.p11_pdf [--rounds 15] [--many 1000]

Both warm, in turn, in one environment, each round another invoice, for typst remembers what it has
set before; the peer sets the same document from HTML, untagged. Ours reads the invoice from the database, and is tagged and archivable. Then
`--many` of ours in one process: how much its memory grows.
"""

from __future__ import annotations

import argparse
import html
import json
import logging
import resource
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from benchmarks import peers

if TYPE_CHECKING:
    from tallystick.billing.invoices import Invoice

_STYLE = """
@font-face { font-family: Hanken; src: url(file://%(fonts)s/hanken-grotesk-latin-400.ttf) }
@font-face { font-family: Hanken; font-weight: 600;
  src: url(file://%(fonts)s/hanken-grotesk-latin-600.ttf) }
@page { size: A4; margin: 20mm 22mm 26mm;
  @bottom-left { content: "Northwind Studio Ltd"; font: 7.5pt Hanken }
  @bottom-right { content: "Page " counter(page) " of " counter(pages); font: 7.5pt Hanken } }
body { font: 9.5pt Hanken } h1 { font-size: 20pt; text-align: right } h2 { font-size: 11pt }
table { width: 100%%; border-collapse: collapse }
td, th { padding: 5pt 0; text-align: right; border-bottom: 0.5pt solid #ccc }
td:first-child, th:first-child { text-align: left }
.pay { background: #e8f0ec; padding: 5mm; border-radius: 1mm; page-break-inside: avoid }
"""


def main() -> None:
    arguments = _arguments()
    try:
        import weasyprint  # noqa: F401 - only whether it is there
    except ImportError:
        peers.run_again("benchmarks.p11_pdf")
    from benchmarks.stage import own_database

    logging.disable()
    with own_database():
        results = {f"{lines} lines": _beside_the_peer(lines, arguments.rounds) for lines in (3, 60)}
        growth = _growth(arguments.many)
    for name, result in results.items():
        print(name, {key: round(value, 2) for key, value in result.items()})
    print(f"{arguments.many} documents: {growth:+.1f} MiB")
    print(json.dumps({"name": "P11", "results": results, "growth_mib": growth}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--many", type=int, default=1000)
    return parser.parse_args()


def _beside_the_peer(lines: int, rounds: int) -> dict[str, float]:
    """Median milliseconds of each, and the median of ours to the peer's in one round."""
    from tallystick.billing import documents

    works: dict[str, Callable[[Invoice], object]] = {
        "ours": documents.invoice_pdf,
        "weasyprint": _peer,
    }
    taken: dict[str, list[float]] = {name: [] for name in works}
    for n in range(rounds + 1):
        invoice = _invoice(lines, n)
        for name, work in works.items():
            began = time.process_time()
            work(invoice)
            if n:  # the first warms up
                taken[name].append((time.process_time() - began) * 1000)
    pairs = zip(taken["ours"], taken["weasyprint"], strict=True)
    ratio = statistics.median(ours / peer for ours, peer in pairs)
    return {name: statistics.median(times) for name, times in taken.items()} | {"ratio": ratio}


def _invoice(lines: int, n: int) -> Invoice:
    """The `n`th, unlike all others."""
    from tallystick.accounts.models import Website
    from tallystick.billing.lines import LineDraft
    from tallystick.billing.tests import samples

    website = Website.objects.first() or samples.studio()
    account = samples.client(website, f"client{lines}x{n}")
    drafts = [
        LineDraft(f"Service {n} number {place}", Decimal(2), unit_price=Decimal(n * 100 + place))
        for place in range(1, lines + 1)
    ]
    return samples.invoice(account, lines=drafts)


def _peer(invoice: Invoice) -> bytes:
    """The same document: facts, parties, lines, totals, tax by rate, how to pay."""
    import weasyprint

    from tallystick.billing import typesetting

    lines = [
        (line.description, line.quantity, line.unit_price, line.tax_percent, line.amount)
        for line in invoice.lines.all()
    ]
    rates = [(rate.percent, rate.net, rate.tax, rate.gross) for rate in invoice.breakdown()]
    facts = (invoice.number, invoice.issue_date, invoice.due_date, invoice.reference_id)
    bank = [(key, invoice.seller[key]) for key in ("name", "bank_name", "iban", "bic")]
    page = (
        f"<style>{_STYLE % {'fonts': typesetting.LOOK / 'fonts'}}</style><h1>Invoice</h1>"
        + _table(("Number", "Issued", "Due", "Reference"), [facts])
        + _table(("From", "To"), zip(invoice.seller.values(), invoice.buyer.values(), strict=False))
        + f"<h2>{html.escape(invoice.title)}</h2><p>{html.escape(invoice.description)}</p>"
        + _table(("Description", "Quantity", "Price", "Tax", "Amount"), lines)
        + _table(("Subtotal", "Tax", "Total"), [(invoice.subtotal, invoice.tax, invoice.amount)])
        + _table(("Rate", "Net", "Tax", "Gross"), rates)
        + f"<div class=pay><h2>How to pay</h2>{_table(('', ''), bank)}"
        f"<a href='{invoice.url}'>{invoice.url}</a></div>"
    )
    made = weasyprint.HTML(string=page).write_pdf()
    assert isinstance(made, bytes)
    return made


def _table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    def row(cells: Sequence[object], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(cell))}" for cell in cells)

    return (
        f"<table><thead>{row(head, 'th')}<tbody>{''.join(row(each, 'td') for each in rows)}</table>"
    )


def _growth(many: int) -> float:
    """MiB by which the process is larger after `many` documents than after the first fifty."""
    from tallystick.billing import documents

    before = 0.0
    for n in range(many):
        documents.invoice_pdf(_invoice(4, n))
        if n == min(50, many // 2):
            before = _resident()
    return _resident() - before


def _resident() -> float:
    with open("/proc/self/statm") as file:  # noqa: PTH123 - no file of ours
        pages = int(file.read().split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
