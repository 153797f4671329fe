from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from tallystick.accounts.models import Account
from tallystick.billing.credit_notes import issue_credit_note
from tallystick.billing.days import BadDay
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import making
from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock


@pytest.fixture
def now() -> Iterator[None]:
    with clock.use(VirtualClock(datetime(2026, 2, 28, 12, tzinfo=UTC))):
        yield


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


@pytest.mark.parametrize("terms", [3651, 80_000, 3_000_000])
def test_terms_do_not_lead_out_of_reach(account: Account, terms: int) -> None:
    account.website.payment_terms_days = terms  # past what its form takes
    with pytest.raises(BadDay, match="website's days to pay are at most 3650"):
        making.draft(account).issue()
    with pytest.raises(ValidationError) as caught:
        account.website.full_clean()
    assert set(caught.value.message_dict) == {"payment_terms_days"}


def test_terms_of_years_are_kept(account: Account) -> None:
    account.website.payment_terms_days = 3650
    invoice = making.issued(account)
    assert invoice.due_date is not None
    assert invoice.issue_date is not None
    assert (invoice.due_date - invoice.issue_date).days == 3650


@pytest.mark.usefixtures("now")
def test_a_mistyped_year_is_refused_when_it_is_issued(account: Account) -> None:
    for day in (date(2016, 2, 27), date(2026, 4, 1), date(2062, 3, 1), date(1990, 1, 1)):
        draft = making.draft(account, issue_date=day)
        with pytest.raises(BadDay, match="issue lies between 2016-02-28 and 2026-03-31") as caught:
            draft.issue()
        assert (caught.value.pointer, draft.number) == ("/issue_date", "")
    invoice = making.issued(account, issue_date=date(2026, 2, 28))
    with pytest.raises(BadDay, match="2026-03-31"):
        issue_credit_note(invoice, by=None, reason="Less.", issue_date=date(2027, 2, 28))


@pytest.mark.usefixtures("now")
def test_the_first_and_the_last_day_can_be_used(account: Account) -> None:
    first = making.issued(account, issue_date=date(2016, 2, 28), due_date=date(2016, 2, 28))
    last = making.issued(account, issue_date=date(2026, 3, 31), due_date=date(2199, 12, 31))
    assert [first.number, last.number] == ["INV-2016-00001", "INV-2026-00001"]


@pytest.mark.parametrize("field", ["issue_date", "due_date"])
def test_the_form_says_so_beside_the_day(account: Account, client: Client, field: str) -> None:
    client.force_login(making.staff(account.website))
    data = {"client": account.pk, "lines-TOTAL_FORMS": 0, "lines-INITIAL_FORMS": 0}
    answer = client.post(reverse("admin:billing_invoice_add"), data | {field: "9999-12-31"})
    assert field in answer.context["adminform"].form.errors
    assert not Invoice.objects.of(account.website).exists()
