"""The words of an invoice, typed by staff: what can be kept, as the API and the admin have it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from tallystick.accounts.models import Account, Membership, Website
from tallystick.accounts.standing import Role
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import making, samples

pytestmark = pytest.mark.django_db

WORDS = {"title": 200, "about": 20_000, "reference": 100, "description": 4000}


@pytest.fixture
def staff(client: Client, website: Website) -> Client:
    user = get_user_model().objects.create_user("desk", password=samples.PASSWORD)
    Membership.objects.create(user=user, website=website, role=Role.ADMIN)
    client.force_login(user)
    return client


def form(account: Account, **more: str) -> dict[str, Any]:
    line = {"description": "Work", "quantity": "1", "price": "9", "discount": "", "tax": ""}
    who = {"key": "k" * 30, "client": str(account.uid), "client_q": account.name}
    return {**who, **line, "product": "", "act": "save", **more}


@pytest.mark.parametrize(("name", "longest"), WORDS.items())
def test_longest(staff: Client, account: Account, name: str, longest: int) -> None:
    answer = staff.post("/staff/invoices/new/", form(account, **{name: "x" * (longest + 1)}))
    assert answer.status_code == 422
    assert f"At most {longest} characters" in answer.content.decode()
    assert (
        staff.post("/staff/invoices/new/", form(account, **{name: "x" * longest})).status_code
        == 303
    )


@pytest.mark.parametrize("name", WORDS)
def test_no_text_holds_null(staff: Client, account: Account, name: str) -> None:
    answer = staff.post("/staff/invoices/new/", form(account, **{name: "a\0b"}))
    assert answer.status_code == 422
    assert "Null characters are not allowed." in answer.content.decode()
    assert not Invoice.objects.of(account.website).exists()


@pytest.mark.parametrize("act", ["update", "add", "save"])
def test_what_is_looked_up_holds_no_null(staff: Client, account: Account, act: str) -> None:
    """PostgreSQL takes none, not even to compare."""
    sent = form(account, description="a\0b", price="", act=act)
    assert staff.post("/staff/invoices/new/", sent).status_code in (200, 422)
    sent = form(account, client="", client_q="a\0b", act=act)
    assert staff.post("/staff/invoices/new/", sent).status_code in (200, 422)
    for asked in ("client/?client_q=", "product/?description="):
        assert staff.get(f"/staff/find/{asked}a%00b").status_code == 200


def test_what_the_api_takes_can_be_saved_here(staff: Client, account: Account) -> None:
    longest = "a\n" * 10_000
    draft = making.draft(account, making.line(description="y" * 4000), description=longest.strip())
    page = staff.get(reverse("staff-invoice-edit", args=[draft.uid]))
    typed = page.context["form"].values["description"].replace("\n", "\r\n")
    sent = form(account, about=typed, description="y" * 4000)
    assert staff.post(page.wsgi_request.path, sent).status_code == 303
    kept = draft.description
    draft.refresh_from_db()
    assert draft.description == kept
