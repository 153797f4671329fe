"""What somebody else does to an invoice between a request's reading it and its locking it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tallystick.api.tests.desk import Desk
from tallystick.billing import locks, redrafting
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import making

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("healthy")]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str, Callable[[], object]], None]:
    """Do something else first, once, when that function is called."""

    def arrange(module: Any, name: str, act: Callable[[], object]) -> None:  # noqa: ANN401
        real = getattr(module, name)
        waiting = [act]

        def then(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            if waiting:
                waiting.pop()()
            return real(*args, **kwargs)

        monkeypatch.setattr(module, name, then)

    return arrange


def test_a_change_of_the_title_keeps_lines_and_client_of_another_change(
    desk: Desk, meanwhile: Callable[..., None]
) -> None:
    other = making.account(desk.website)
    draft = Invoice.objects.everywhere().get(pk=desk.draft.pk)
    lines = [making.line("40"), making.line("2")]
    meanwhile(redrafting, "revise", lambda: redrafting.revise(draft, lines, client=other))
    told = desk.as_admin().send("PATCH", f"invoices/{draft.uid}/", {"title": "New"})
    assert (told.status, told.body["title"], told.body["amount"]) == (200, "New", "42.00")
    assert [line["unit_price"] for line in told.body["lines"]] == ["40", "2"]
    assert told.body["client"]["id"] == str(other.uid)


def test_what_is_not_sent_is_reckoned_anew_all_the_same(desk: Desk) -> None:
    path = f"invoices/{desk.draft.uid}/"
    told = desk.as_admin().send("PATCH", path, {"prices_include_tax": True})
    assert (told.body["amount"], len(told.body["lines"])) == ("100.00", 1)


@pytest.mark.parametrize(
    ("method", "more", "body"),
    [
        ("PATCH", "", {"title": "New"}),
        ("DELETE", "", None),
        ("POST", "issue/", {"send": False}),
        ("POST", "mark_paid/", {}),
    ],
)
def test_a_draft_that_was_just_deleted_is_not_found(
    desk: Desk, meanwhile: Callable[..., None], method: str, more: str, body: object
) -> None:
    draft = Invoice.objects.everywhere().get(pk=desk.draft.pk)
    meanwhile(locks, "hold", draft.delete)
    told = desk.as_admin().send(method, f"invoices/{draft.uid}/{more}", body)
    assert (told.status, told.code) == (404, "not_found")


def test_of_many_at_once_only_the_deleted_one_is_not_found(
    desk: Desk, meanwhile: Callable[..., None]
) -> None:
    draft = Invoice.objects.everywhere().get(pk=desk.draft.pk)
    meanwhile(locks, "hold", draft.delete)
    body = {"action": "mark_paid", "ids": [str(draft.uid), str(desk.invoice.uid)]}
    told = desk.as_admin().post("invoices/bulk/", body)
    assert [row["status"] for row in told.body["results"]] == [404, 200]


def test_a_staff_page_is_not_found_either(
    desk: Desk, meanwhile: Callable[..., None], client: Client
) -> None:
    draft = Invoice.objects.everywhere().get(pk=desk.draft.pk)
    client.force_login(desk.admin)
    address = f"/staff/invoices/{draft.uid}/issue/"
    assert client.get(address).status_code == 200
    meanwhile(locks, "hold", draft.delete)
    assert client.post(address, {"key": "k", "send": "on"}).status_code == 404
