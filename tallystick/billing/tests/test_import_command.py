"""`manage.py import_statement`: what it says, and how it ends."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tallystick.accounts.models import Website
from tallystick.billing.banking.statements import BankStatement
from tallystick.billing.banking.transactions import BankTransaction
from tallystick.billing.payment_rows import Payment
from tallystick.billing.tests import bank, making


@pytest.fixture
def website(db: None) -> Website:
    return bank.website()


def run(path: Path | str, website: Website | str, **options: Any) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    name = website.domain if isinstance(website, Website) else website
    call_command("import_statement", str(path), website=name, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def written(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "statement.csv"
    path.write_bytes(data)
    return path


def test_imports_and_says_what_it_did(website: Website, tmp_path: Path) -> None:
    invoice = bank.issued(making.account(website))
    path = written(tmp_path, bank.table(("119.00", bank.reference(invoice)), ("5.00", "a")))
    out, err = run(path, str(website.uid))
    assert out.startswith("2 new lines, 0 known before, 1 booked, 1 to decide; balances: unknown.")
    assert "2 of 2 read" in err
    assert run(path, website)[0] == out
    assert BankTransaction.objects.of(website).count() == 2


def test_as_json(website: Website) -> None:
    out, err = run(bank.FIXTURES / "camt053_v02_sparkasse.xml", website, json=True)
    outcome = json.loads(out)
    assert (outcome["new"], outcome["pending"], outcome["balances"]) == (5, 1, "agrees")
    assert err == ""


def test_a_trial_keeps_nothing(website: Website, tmp_path: Path) -> None:
    invoice = bank.issued(making.account(website))
    path = written(tmp_path, bank.table(("119.00", bank.reference(invoice))))
    out, _err = run(path, website, dry_run=True)
    assert "1 booked" in out
    assert BankStatement.objects.of(website).count() == 0
    assert Payment.objects.of(website).count() == 0


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (b"hello", 1, "neither CAMT.053"),
        ((bank.FIXTURES / "unknown.csv").read_bytes(), 2, "/staff/bank/import/"),
        (bank.table(("5.00", "a"), iban="NL91ABNA0417164300"), 2, "--other-account"),
    ],
)
def test_how_it_ends(website: Website, tmp_path: Path, data: bytes, code: int, said: str) -> None:
    with pytest.raises(CommandError, match=said) as caught:
        run(written(tmp_path, data), website)
    assert caught.value.returncode == code


def test_another_account_is_taken_when_one_says_so(website: Website, tmp_path: Path) -> None:
    path = written(tmp_path, bank.table(("5.00", "a"), iban="NL91ABNA0417164300"))
    assert "1 new lines" in run(path, website, other_account=True)[0]


def test_what_is_not_there_is_said(website: Website, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        run(tmp_path / "missing.csv", website)
    with pytest.raises(CommandError, match="no website"):
        run(tmp_path / "missing.csv", "nowhere.example")
