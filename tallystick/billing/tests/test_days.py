from __future__ import annotations

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from tallystick.accounts.models import Account
from tallystick.billing.days import BadDay
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import making

FAR = [date.min, date(1989, 12, 31), date(2200, 1, 1), date.max]


@pytest.mark.parametrize("day", FAR)
@pytest.mark.parametrize(
    ("field", "words"), [("issue_date", "date of issue"), ("due_date", "due date")]
)
def test_days_out_of_reach_are_refused_by_name(
    account: Account, field: str, words: str, day: date
) -> None:
    with pytest.raises(BadDay, match=f"The {words} lies between 1990-01-01 and 2199-12-31"):
        making.draft(account, **{field: day})
    draft = making.draft(account)
    setattr(draft, field, day)
    draft.save()
    with pytest.raises(BadDay, match=words):
        draft.issue()
    assert draft.number == ""


def test_terms_do_not_lead_out_of_reach(account: Account) -> None:
    draft = making.draft(account, issue_date=date(2199, 12, 31))
    with pytest.raises(BadDay, match="due date"):
        draft.issue()


def test_the_first_and_the_last_day_can_be_used(account: Account) -> None:
    first = making.issued(account, issue_date=date(1990, 1, 1))
    last = making.issued(account, issue_date=date(2199, 1, 1), due_date=date(2199, 12, 31))
    assert [first.number, last.number] == ["INV-1990-00001", "INV-2199-00001"]


@pytest.mark.parametrize("field", ["issue_date", "due_date"])
def test_the_form_says_so_beside_the_day(account: Account, client: Client, field: str) -> None:
    client.force_login(making.staff(account.website))
    data = {"client": account.pk, "lines-TOTAL_FORMS": 0, "lines-INITIAL_FORMS": 0}
    answer = client.post(reverse("admin:billing_invoice_add"), data | {field: "9999-12-31"})
    assert field in answer.context["adminform"].form.errors
    assert not Invoice.objects.of(account.website).exists()
