from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from tallystick.accounts.models import Account, Website
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import samples

pytestmark = pytest.mark.django_db


def test_a_stranger_learns_what_this_is(client: Client) -> None:
    text = client.get("/").content.decode()
    assert "Both halves of every bill" in text
    assert "/accounts/login/" in text


def test_a_client_sees_their_own_and_nobody_elses(
    client: Client, website: Website, invoice: Invoice
) -> None:
    other = samples.client(website, "other")
    theirs = samples.invoice(other, title="Not yours")
    user = get_user_model().objects.get(username="ismail")
    client.force_login(user)
    text = client.get("/").content.decode()
    assert invoice.url in text
    assert theirs.url not in text
    assert "Not yours" not in text


def test_drafts_are_shown_to_nobody(client: Client, account: Account) -> None:
    Invoice.objects.draft(account=account, lines=samples.lines(account.website), title="Sketch")
    client.force_login(get_user_model().objects.get(username="ismail"))
    text = client.get("/").content.decode()
    assert "Sketch" not in text
    assert "Nothing to pay" in text


def test_staff_see_how_much_is_open(client: Client, account: Account) -> None:
    samples.invoice(account)
    samples.invoice(account, due_in=-5)
    client.force_login(get_user_model().objects.create_superuser("staff"))
    text = client.get("/").content.decode()
    assert "2 invoices are open, 1 overdue" in text
    assert "/admin/" in text


def test_signing_in_says_when_it_did_not_match(client: Client) -> None:
    answer = client.post("/accounts/login/", {"username": "x", "password": "y"})
    assert "That did not match." in answer.content.decode()


def test_a_page_that_is_not_there(client: Client) -> None:
    answer = client.get("/nothing/")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()
