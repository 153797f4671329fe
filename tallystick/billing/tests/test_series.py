from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tallystick.accounts.models import Account
from tallystick.billing.numbering import PrefixTaken, Series
from tallystick.billing.tests import making


def test_a_prefix_that_another_series_has_is_refused_with_words(account: Account) -> None:
    Series.objects.create(website=account.website, code="inv", prefix="INV")
    draft = making.draft(account)
    with pytest.raises(PrefixTaken, match=r"no series invoice here.*INV.*another series has it"):
        draft.issue()
    draft.refresh_from_db()
    assert draft.is_draft


def test_the_code_of_a_series_stays(account: Account, client: Client) -> None:
    client.force_login(making.staff(account.website))
    assert b'name="code"' in client.get(reverse("admin:billing_series_add")).content
    series = Series.objects.create(website=account.website, code="invoice", prefix="INV")
    page = reverse("admin:billing_series_change", args=[series.pk])
    assert b'name="code"' not in client.get(page).content
    data = {"code": "inv", "prefix": "R", "digits": 4, "restarts_yearly": "on"}
    assert client.post(page, data).status_code == 302
    series.refresh_from_db()
    assert (series.code, series.prefix) == ("invoice", "R")
