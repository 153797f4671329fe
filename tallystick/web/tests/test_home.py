from __future__ import annotations

import pytest
from django.test import Client

from tallystick.accounts.models import Account
from tallystick.people.models import User

pytestmark = pytest.mark.django_db


def test_a_stranger_learns_what_this_is(client: Client) -> None:
    text = client.get("/").content.decode()
    assert "Both halves of every bill" in text
    assert "/accounts/login/" in text


def test_a_client_goes_on_to_the_portal(client: Client, account: Account) -> None:
    assert account.user is not None
    client.force_login(account.user)
    assert client.get("/")["Location"] == "/portal/"


def test_staff_go_on_to_their_desk(client: Client) -> None:
    client.force_login(User.objects.create_superuser("staff"))
    assert client.get("/")["Location"] == "/staff/"


def test_signing_in_says_when_it_did_not_match(client: Client) -> None:
    answer = client.post("/accounts/login/", {"login": "x", "password": "y"})
    assert "That did not match." in answer.content.decode()


def test_a_page_that_is_not_there(client: Client) -> None:
    answer = client.get("/nothing/")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()
