"""The pages of the bank with something on them, for their pictures and for the browser's tests."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from playwright.sync_api import Browser

from tallystick.accounts.models import Account, Membership, Organisation, Website
from tallystick.accounts.standing import Role
from tallystick.billing.banking.formats import BankFile
from tallystick.billing.banking.importing import import_statement
from tallystick.billing.banking.statements import BankStatement
from tallystick.billing.banking.transactions import LineState
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import bank, samples

Shoot = Callable[..., None]
ENTRY = """<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{more}<Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt><AcctSvcrRef>HB{n:010d}</AcctSvcrRef>
<NtryDtls><TxDtls><Refs><EndToEndId>{end}</EndToEndId></Refs><RltdPties><{party}><Pty><Nm>{name}</Nm></Pty>
</{party}></RltdPties><RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"""
BALANCE = """<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-16</Dt></Dt></Bal>"""


def pages(browser: Browser, origin: str, shoot: Shoot) -> None:
    """Call `shoot` for each page of the bank, as `teller`."""
    website = samples.studio(domain="bank.northwind.example", is_default=False)
    _staff("teller", website)
    shoot(browser, origin, "staff-bank-empty", "/staff/bank/", "teller")
    for name, path in paths(filled(website)).items():
        shoot(browser, origin, f"staff-bank{name}", path, "teller")


def filled(website: Website) -> dict[str, Any]:
    """A statement with a line of every kind, a table that is not known, another account's file."""
    ada = samples.client(website, "ada", line1="Lindenallee 3")
    club = _club(website, "Harbourside Smiles LLP")
    lines = [_paid(samples.invoice(ada, title=title)) for title in ("Hosting", "Photographs")]
    part = samples.invoice(club, title="Workshop")
    named = samples.invoice(club, title="Relaunch")
    samples.invoice(_club(website, "Praxis am Dom GmbH"), title="Maintenance")
    lines += [
        ("5000.00", "Harbourside Smiles", f"Part of {bank.reference(part)}"),
        ("5255.73", "HARBOURSIDE SMILES LLP", f"your invoice {named.number}"),
        ("5255.73", "Praxis am Dom", "Wartung"),
        ("80.00", "Konrad Zuse", "Spende"),
        ("-42.00", "Stadtwerke", "Abschlag 03/26"),
        ("-5255.73", "Ismail Sahin", f"Returned {bank.reference(_of(website, 'Hosting'))}"),
    ]
    statement = import_statement(website, _camt(website, lines), name="camt053-2026-03-16.xml")
    unknown = (bank.FIXTURES / "unknown.csv").read_bytes()
    table = BankFile(website=website, name="ledger-march.csv", data=unknown)
    table.keep()
    foreign = BankFile(website=website, name="other.csv", data=bank.table(("5.00", "a")))
    foreign.keep()
    return {"statement": statement, "table": table, "foreign": foreign}


def paths(scene: dict[str, Any]) -> dict[str, str]:
    statement: BankStatement = scene["statement"]
    undecided = {line.name: line for line in statement.lines.filter(state=LineState.PROPOSED)}
    nothing = statement.lines.get(state=LineState.UNMATCHED)
    return {
        "": "/staff/bank/",
        "-all": "/staff/bank/?status=all",
        "-statements": "/staff/bank/statements/",
        "-statement": f"/staff/bank/statements/{statement.uid}/",
        "-line": f"/staff/bank/lines/{undecided['Harbourside Smiles'].uid}/",
        "-line-nothing": f"/staff/bank/lines/{nothing.uid}/?invoice=INV&client=Dom",
        "-import": "/staff/bank/import/",
        "-columns": f"/staff/bank/files/{scene['table'].uid}/",
        "-account": f"/staff/bank/files/{scene['foreign'].uid}/",
    }


def _paid(invoice: Invoice) -> tuple[str, str, str]:
    return ("5255.73", "Ismail Sahin", f"{invoice.title} {bank.reference(invoice)}")


def _of(website: Website, title: str) -> Invoice:
    return Invoice.objects.of(website).get(title=title)


def _camt(website: Website, lines: list[tuple[str, str, str]]) -> bytes:
    entries = "".join(
        ENTRY.format(
            amount=amount.lstrip("-"),
            side="DBIT" if amount.startswith("-") else "CRDT",
            more="<RvslInd>true</RvslInd>" if text.startswith("Returned") else "",
            party="Cdtr" if amount.startswith("-") else "Dbtr",
            day="2026-03-16",
            n=n,
            end="NOTPROVIDED",
            name=name,
            text=text,
        )
        for n, (amount, name, text) in enumerate(lines, 1)
    )
    moved = sum((Decimal(amount) for amount, _name, _text in lines), Decimal(1000))
    opening = BALANCE.format(kind="OPBD", amount="1000.00")
    closing = BALANCE.format(kind="CLBD", amount=moved)
    account = f"<Acct><Id><IBAN>{website.iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>"
    return (
        f"<Document><BkToCstmrStmt><Stmt><Id>2026-075</Id>{account}{opening}{closing}{entries}"
        "</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def _staff(username: str, website: Website) -> None:
    user = get_user_model().objects.create_user(username, password=samples.PASSWORD)
    Membership.objects.create(user=user, website=website, role=Role.ADMIN)


def _club(website: Website, name: str) -> Account:
    club = Organisation.objects.create(website=website, name=name, email="post@club.example")
    return Account.open_for_organisation(club)
