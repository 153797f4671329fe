"""Who may what: every address of the API, with every role. A new one without a row here fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import models
from django.urls import URLPattern, URLResolver

from tallystick.accounts.apikeys import Scope
from tallystick.accounts.models import KeptAnswer, Tries
from tallystick.api import urls
from tallystick.api.resources import methods_of
from tallystick.api.tests.desk import Caller, Desk, anybody
from tallystick.billing.models import (
    Allocation,
    CreditNote,
    Email,
    Invoice,
    InvoiceLine,
    Payment,
    Refund,
    Wallet,
    WalletEntry,
)
from tallystick.billing.tests import making
from tallystick.events.models import Event

pytestmark = pytest.mark.django_db

READ, INVOICES, PAYMENTS = Scope.READ, Scope.INVOICES, Scope.PAYMENTS
YES, NO, GONE, WHO = "yes", 403, 404, 401

# Address and method: what an admin, a client and nobody get; the scope of a key. The thing in the
# address is the client's own.
MATRIX: dict[tuple[str, str], tuple[object, object, object, Scope | None]] = {
    ("invoices/", "GET"): (YES, YES, WHO, READ),
    ("invoices/", "POST"): (YES, NO, WHO, INVOICES),
    ("invoices/bulk/", "POST"): (YES, NO, WHO, INVOICES),
    ("invoices/{invoice}/", "GET"): (YES, YES, WHO, READ),
    ("invoices/{invoice}/", "PUT"): (YES, NO, WHO, INVOICES),
    ("invoices/{invoice}/", "PATCH"): (YES, NO, WHO, INVOICES),
    ("invoices/{invoice}/", "DELETE"): (YES, NO, WHO, INVOICES),
    **{
        (f"invoices/{{invoice}}/{act}/", "POST"): (YES, NO, WHO, INVOICES)
        for act in ("issue", "send_email", "void", "write_off", "credit", "payment_link")
    },
    ("invoices/{invoice}/mark_paid/", "POST"): (YES, NO, WHO, PAYMENTS),
    ("invoices/{invoice}/process_payment/", "POST"): (YES, YES, WHO, PAYMENTS),
    ("invoices/{invoice}/pdf/", "GET"): (YES, YES, WHO, READ),
    ("payments/", "GET"): (YES, YES, WHO, READ),
    ("payments/{payment}/", "GET"): (YES, YES, WHO, READ),
    ("payments/{payment}/refund/", "POST"): (YES, NO, WHO, PAYMENTS),
    ("payments/{payment}/receipt/", "GET"): (YES, YES, WHO, READ),
    ("credit-notes/", "GET"): (YES, YES, WHO, READ),
    ("credit-notes/{note}/", "GET"): (YES, YES, WHO, READ),
    ("credit-notes/{note}/pdf/", "GET"): (YES, YES, WHO, READ),
    ("wallets/", "GET"): (YES, YES, WHO, READ),
    ("wallets/{wallet}/", "GET"): (YES, YES, WHO, READ),
    ("clients/", "GET"): (YES, YES, WHO, READ),
    ("clients/{account}/", "GET"): (YES, YES, WHO, READ),
    ("products/", "GET"): (YES, NO, WHO, READ),
    ("tax-rates/", "GET"): (YES, NO, WHO, READ),
    **{
        (f"{before}{path}", method): row
        for before in ("", "invoices/")
        for (path, method), row in {
            ("stats/", "GET"): (YES, NO, WHO, READ),
            ("payment_link/", "GET"): (YES, YES, YES, None),
            ("pay/{token}/", "GET"): (YES, YES, YES, None),
            ("pay/{token}/", "POST"): (YES, YES, YES, None),
            ("pay/{token}/pdf/", "GET"): (YES, YES, YES, None),
        }.items()
    },
}
_NAMES = {
    "invoices/<uuid:id>": "invoices/{invoice}",
    "payments/<uuid:id>": "payments/{payment}",
    "credit-notes/<uuid:id>": "credit-notes/{note}",
    "wallets/<uuid:id>": "wallets/{wallet}",
    "clients/<uuid:id>": "clients/{account}",
    "<str:token>": "{token}",
}
MONEY = (
    *(Invoice, InvoiceLine, Payment, Allocation, CreditNote, Refund, Wallet, WalletEntry),
    *(Email, Event),
)


def routes(patterns: list[Any] | None = None, before: str = "") -> Iterator[tuple[str, str]]:
    for pattern in urls.resources if patterns is None else patterns:
        here = f"{before}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, here)
            continue
        assert isinstance(pattern, URLPattern)
        for old, new in _NAMES.items():
            here = here.replace(old, new)
        view: Any = pattern.callback
        for method in methods_of(view.view_class):
            if method.lower() in view.view_class.http_method_names:
                yield here, method


def address(path: str, desk: Desk) -> str:
    things = ("invoice", "payment", "note", "wallet", "account")
    names = {name: getattr(desk, name).uid for name in things}
    filled = path.format(**names, token=desk.invoice.payment_token)
    return f"{filled}?token={desk.invoice.payment_token}" if "payment_link/" in path else filled


def answer(caller: Caller, method: str, path: str) -> object:
    """What is asked for is allowed where it fails for what is said in it."""
    status = caller.send(method, path).status
    return YES if status in (200, 201, 202, 207, 409, 422) else status


def stored() -> dict[str, list[dict[str, Any]]]:
    """All there is of money, e-mails and the journal."""
    return {model.__name__: list(models.QuerySet(model).order_by("pk").values()) for model in MONEY}


def test_every_route_has_its_row() -> None:
    found = set(routes())
    assert found == set(MATRIX)
    assert len(found) > 30


@pytest.mark.parametrize("route", MATRIX, ids=" ".join)
def test_roles(route: tuple[str, str], desk: Desk) -> None:
    path, method = route
    admin, client, nobody, scope = MATRIX[route]
    where = address(path, desk)
    assert answer(anybody(), method, where) == nobody
    assert answer(desk.as_client(), method, where) == client
    assert answer(desk.as_admin(), method, where) == admin
    assert answer(desk.as_superadmin(), method, where) == admin
    if scope is None:
        return
    bare = [each for each in Scope if each != scope]
    assert answer(desk.as_key(*bare), method, where) in (
        403,
        422 if "bulk" in path else 403,
        YES if "bulk" in path else 403,
    )
    assert answer(desk.as_key(scope), method, where) == admin


@pytest.mark.parametrize(
    "route",
    [route for route in MATRIX if "{" in route[0] and "token" not in route[0]],
    ids=" ".join,
)
def test_what_is_anothers_is_not_there(route: tuple[str, str], desk: Desk) -> None:
    path, method = route
    other = Desk.at(making.website())
    stranger = making.user()
    before = stored()
    for caller in (
        other.as_admin(),
        other.as_client(),
        other.as_key(),
        Caller(stranger),
        # A key of a superadmin is confined to its website.
        other.as_key(user=making.user(is_superuser=True)),
    ):
        told = caller.send(method, address(path, desk))
        assert (told.status, told.code) == (404, "not_found")
    assert stored() == before
    missing = path.format(
        **dict.fromkeys(("invoice", "payment", "note", "wallet", "account"), making.website().uid)
    )
    gone = other.as_admin().send(method, missing)
    there = other.as_admin().send(method, address(path, desk))
    assert (gone.status, gone.body["detail"]) == (there.status, there.body["detail"])


@pytest.mark.parametrize(
    "path", ["invoices/", "payments/", "credit-notes/", "wallets/", "clients/"]
)
def test_lists_hold_what_is_theirs(path: str, desk: Desk) -> None:
    other = Desk.at(making.website())
    everything = set(desk.as_superadmin().get(path, limit=100).ids)
    ours, theirs = (set(each.as_admin().get(path, limit=100).ids) for each in (desk, other))
    assert ours
    assert theirs
    assert not ours & theirs
    assert everything == ours | theirs
    assert set(desk.as_key().get(path, limit=100).ids) == ours
    assert set(desk.as_client().get(path, limit=100).ids) <= ours
    count = desk.as_admin().get(path, count="true").body["count"]["value"]
    assert count == len(ours)
    assert Caller(making.user()).get(path).ids == []


def test_a_write_by_session_needs_the_sites_token(desk: Desk) -> None:
    from django.test import Client

    browser = Client(enforce_csrf_checks=True)
    browser.force_login(desk.admin)
    path = f"/api/v1/order-payments/invoices/{desk.invoice.uid}/void/"
    told = browser.post(path, {"reason": "x"}, content_type="application/json")
    assert told.status_code == 403
    desk.invoice.refresh_from_db()
    assert desk.invoice.status == "open"


def test_what_is_counted_is_forgotten() -> None:
    assert not Tries.objects.exists()
    assert not KeptAnswer.objects.exists()
