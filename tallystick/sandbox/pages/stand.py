"""The page of one stand: what it holds, what was called, what was delivered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from tallystick.ports.sandboxing import Call, Deed, Receipt, Stand, Table
from tallystick.sandbox.html import Html, tag
from tallystick.sandbox.pages.faults import faults
from tallystick.sandbox.pages.layout import count, empty, moment, page
from tallystick.sandbox.pages.orders import orders
from tallystick.sandbox.sandbox import Sandbox

_CALLS_SHOWN = 25
_RECEIPTS_SHOWN = 15
_AMOUNTS = {"Total", "Due", "Amount", "Price"}
_ERROR = 400


def stand_page(request: Request, sandbox: Sandbox, stand: Stand) -> Response:
    tables = stand.state()
    holds = [table for table in tables if not table.is_sheet]
    sheets = [table for table in tables if table.is_sheet]
    main = tag(
        "div",
        _sentence(stand),
        tag("section", tag("h2", "Holds"), [_table(stand, table) for table in holds])
        if holds
        else tag(
            "section",
            tag("h2", "Holds"),
            empty("Nothing yet. What is sent to the addresses below appears here."),
        ),
        _calls(stand),
        _deliveries(stand),
        tag("section", tag("h2", "To connect"), [_sheet(table) for table in sheets]),
        class_="main",
        id="live",
    )
    side = tag("aside", faults(stand), orders(stand))
    return page(request, sandbox, stand.title, tag("div", main, side, class_="columns"))


def _sentence(stand: Stand) -> Html:
    on = len([armed for armed in stand.faults.armed() if not armed.spent])
    total = sum(stand.counts.values())
    bad = sum(n for status, n in stand.counts.items() if not 0 < int(status) < _ERROR)
    refused = len([receipt for receipt in stand.receipts if not receipt.accepted])
    words = f"{count(total, 'call').capitalize()}, {bad or 'none'} without a good answer. "
    words += f"{count(len(stand.receipts), 'webhook').capitalize()} delivered"
    words += f", {refused} not accepted." if refused else "."
    headline = (
        f"{stand.title} answers as it should."
        if not on
        else f"{count(on, 'fault').capitalize()} {'is' if on == 1 else 'are'} on at {stand.title}."
    )
    return tag("section", tag("h1", headline), tag("p", words, class_="lead"), class_="sentence")


def _table(stand: Stand, table: Table) -> Html:
    deeds = list(table.deeds) if any(table.deeds) else [None] * len(table.rows)
    rest = table.total - len(table.rows)
    return tag(
        "div",
        tag("h3", table.title, tag("span", f"{table.total:,}", class_="total")),
        tag(
            "div",
            tag(
                "table",
                tag(
                    "thead",
                    tag("tr", [_head(c) for c in table.columns], tag("th") if any(deeds) else None),
                ),
                tag(
                    "tbody",
                    [
                        _row(stand, table.columns, row, done)
                        for row, done in zip(table.rows, deeds, strict=True)
                    ],
                ),
            ),
            class_="scroll",
        ),
        tag("p", f"{rest:,} older ones are not shown.", class_="quiet") if rest > 0 else None,
        class_="card",
    )


def _head(column: str) -> Html:
    return tag("th", column, class_="amount" if column in _AMOUNTS else None)


def _row(
    stand: Stand, columns: Sequence[str], row: Sequence[str], deeds: Sequence[Deed] | None
) -> Html:
    cells = [
        tag("td", text, title=text, class_="amount" if column in _AMOUNTS else None)
        for column, text in zip(columns, row, strict=True)
    ]
    if deeds is None:
        return tag("tr", cells)
    return tag("tr", cells, tag("td", [_deed(stand, deed) for deed in deeds], class_="deeds"))


def _deed(stand: Stand, deed: Deed) -> Html:
    fields = [tag("input", type="hidden", name=n, value=v) for n, v in deed.arguments.items()]
    return tag(
        "form",
        fields,
        tag("button", deed.label, class_="plain"),
        method="post",
        action=f"/stands/{stand.name}/orders/{deed.action}",
    )


def _sheet(table: Table) -> Html:
    rows = [
        tag("div", tag("dt", name), tag("dd", tag("code", value))) for name, value in table.rows
    ]
    return tag("div", tag("h3", table.title), tag("dl", rows), class_="card")


def _calls(stand: Stand) -> Html:
    newest = list(stand.calls)[-_CALLS_SHOWN:][::-1]
    rows = [_call(call, stand.now()) for call in newest]
    head = tag("tr", [tag("th", name) for name in ("Time", "Call", "Answer", "Fault")])
    shown = tag("table", tag("thead", head), tag("tbody", rows))
    return tag(
        "section",
        tag("h2", "Calls", tag("span", f"{sum(stand.counts.values()):,}", class_="total")),
        tag("div", tag("div", shown, class_="scroll"), class_="card")
        if rows
        else empty("No call yet."),
    )


def _call(call: Call, now: datetime) -> Html:
    return tag(
        "tr",
        tag("td", moment(call.at, now)),
        tag(
            "td",
            tag("b", call.method),
            " ",
            tag("span", call.path, class_="path"),
            title=call.path,
            class_="wide",
        ),
        tag("td", _state(call.status)),
        tag("td", call.note),
    )


def _state(status: int | None) -> Html:
    if not status:
        return tag("span", "○ none", class_="late")
    good = status < _ERROR
    return tag("span", f"{'●' if good else '▲'} {status}", class_="good" if good else "bad")


def _deliveries(stand: Stand) -> Html:
    newest = list(stand.receipts)[-_RECEIPTS_SHOWN:][::-1]
    rows = [_delivery(receipt, stand.now()) for receipt in newest]
    names = ("Time", "Delivery", "Address", "Attempt", "Answer")
    shown = tag(
        "table", tag("thead", tag("tr", [tag("th", name) for name in names])), tag("tbody", rows)
    )
    return tag(
        "section",
        tag("h2", "Webhook deliveries", tag("span", f"{len(stand.receipts):,}", class_="total")),
        tag("div", tag("div", shown, class_="scroll"), class_="card")
        if rows
        else empty("None yet. Order “set webhook” with the address of the site to get some."),
    )


def _delivery(receipt: Receipt, now: datetime) -> Html:
    mark, name = ("●", "good") if receipt.accepted else ("▲", "bad")
    words = f"{mark} {receipt.status or 'none'}"
    return tag(
        "tr",
        tag("td", moment(receipt.at, now)),
        tag("td", receipt.sent.label),
        tag("td", tag("span", receipt.sent.url, class_="path")),
        tag("td", receipt.sent.attempt),
        tag("td", tag("span", words, class_=name), " ", tag("small", receipt.complaint)),
    )
