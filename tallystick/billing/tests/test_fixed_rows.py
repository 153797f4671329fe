"""The database refuses by itself, also what goes around the models."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, models, transaction

from tallystick.accounts.models import Account
from tallystick.billing import triggers
from tallystick.billing.invoices import Invoice
from tallystick.billing.payments import mark_paid, pay, refund
from tallystick.billing.tests import making
from tallystick.billing.wallets import Wallet


@pytest.fixture(autouse=True)
def _triggers(db: None) -> None:
    """The database's triggers as a migration leaves them; other tests on SQLite go without some."""
    triggers.create(connection)


def refuses_to_delete(rows: models.QuerySet[models.Model], words: str) -> None:
    count = rows.count()
    assert count
    with pytest.raises(DatabaseError, match=words), transaction.atomic():
        models.QuerySet.delete(rows)
    with pytest.raises(DatabaseError, match=words), transaction.atomic():
        rows._raw_delete(rows.db)  # Django's own, without the models
    assert rows.count() == count


def test_issued_invoices_and_their_lines_stay(invoice: Invoice) -> None:
    refuses_to_delete(invoice.lines.all(), "a line of an issued invoice is not deleted")
    rows = Invoice.objects.everywhere().filter(pk=invoice.pk)
    with pytest.raises(DatabaseError, match="is not deleted"), transaction.atomic():
        rows._raw_delete(rows.db)


def test_money_that_came_stays(account: Account) -> None:
    making.funded(account, "500")
    invoice = making.issued(account)
    payment = pay(invoice, invoice.due, method="wallet", by=None)
    refuses_to_delete(invoice.allocations.all(), "an allocation is not deleted")
    refuses_to_delete(Wallet.of(account, "EUR").entries.all(), "the ledger of a wallet")
    rows = type(payment).objects.everywhere().filter(pk=payment.pk)
    with pytest.raises(DatabaseError, match="money that came"), transaction.atomic():
        rows._raw_delete(rows.db)


def test_what_came_and_went_back_stays_too(invoice: Invoice) -> None:
    payment = mark_paid(invoice, by=None)
    refund(payment, by=None, reason="mistake")
    assert payment.status == "refunded"
    rows = type(payment).objects.everywhere().filter(pk=payment.pk)
    with pytest.raises(DatabaseError, match="money that came"), transaction.atomic():
        rows._raw_delete(rows.db)


def test_drafts_are_edited_and_go(draft: Invoice) -> None:
    draft.set_lines([making.line("1"), making.line("2")])
    draft.lines.first().delete()  # type: ignore[union-attr] # it has two
    draft.delete()
    assert not Invoice.objects.of(draft.website).exists()
