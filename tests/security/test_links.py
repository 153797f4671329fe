"""Security figure S3: payment links, log-ins and API keys are not guessed, and a GET changes nothing."""

from __future__ import annotations

import os
import re
import statistics
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as site_settings
from django.contrib import admin
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.html import escape
from pytest_django import Settings

from tallystick.accounts.limits import TooMany
from tallystick.accounts.models import ApiKey, Tries
from tallystick.billing import link_doors, paylinks, tokens
from tallystick.billing.invoices import Invoice
from tallystick.billing.paylinks import UnknownLink
from tallystick.billing.payments import mark_paid
from tallystick.billing.tests import making
from tallystick.kit import clock
from tallystick.people.models import User
from tests.security import world as worlds

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as _Answer

pytestmark = pytest.mark.django_db

FORGED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP")
API = "/api/v1/order-payments"
A_MINUTE = 20
GUESSES = int(os.environ.get("S3_GUESSES", "10000"))
"""The figure's 100,000 take ten minutes."""
"""Tries that are answered."""


@pytest.fixture(autouse=True)
def _afresh() -> Iterator[None]:
    cache.clear()
    with clock.use(clock.VirtualClock(clock.now())):
        yield
    cache.clear()


@pytest.fixture
def invoice(db: None) -> Invoice:
    return making.issued(making.account(making.website()))


def guess() -> str:
    return tokens.new_payment_token(tokens.new_reference())


def near(invoice: Invoice) -> str:
    """All but the last character right."""
    token = invoice.payment_token
    return token[:-1] + ("A" if token[-1] != "A" else "B")


def pay_page(token: str) -> str:
    return f"/pay/invoice/{token}/"


def said(answer: _Answer, path: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body, but for what is drawn anew for each answer, and the address that was
    asked for, which comes back in the form of the language."""
    headers = {name: value for name, value in answer.headers.items() if name != "Set-Cookie"}
    policy = headers.get("Content-Security-Policy", "")
    policy = re.sub(r"'nonce-[^']+'", "'nonce'", policy)
    headers["Content-Security-Policy"] = " ".join(sorted(policy.split("; ")))
    headers.pop("Expires", None)
    headers["Content-Length"] = str(len(answer.content) - len(escape(path).encode()))
    body = re.sub(rb'(csrfmiddlewaretoken" value=)"[^"]*"', rb"\1", answer.content)
    body = body.replace(b'value="' + escape(path).encode(), b'value="')
    return answer.status_code, headers, body


# -- the token


def test_a_token_has_256_random_bits() -> None:
    made = {guess() for _ in range(500)}
    assert len(made) == 500
    secrets = [token.split("-", 2)[2] for token in made]
    assert {len(secret) for secret in secrets} == {43}
    assert len(set("".join(secrets))) == 64
    for place in range(42):  # the last character holds four bits
        assert len({secret[place] for secret in secrets}) > 40


def test_it_is_compared_in_constant_time(invoice: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []

    def compare(ours: bytes, theirs: bytes) -> bool:
        asked.append(theirs)
        return False

    monkeypatch.setattr(paylinks, "compare_digest", compare)
    with pytest.raises(UnknownLink):
        paylinks.find(invoice.payment_token)
    assert asked == [invoice.payment_token.encode()]


# -- one and the same answer


@pytest.mark.parametrize("tail", ["", "pdf/", "transfer.svg"])
def test_what_does_not_exist_is_answered_alike(invoice: Invoice, tail: str) -> None:
    expired, void, revoked, paid = (making.issued(invoice.client) for _ in range(4))
    Invoice.objects.of(invoice.website).filter(pk=expired.pk).update(
        token_expires_at=clock.now() - timedelta(days=1)
    )
    void.void(reason="mistake")
    paylinks.revoke(revoked)
    mark_paid(paid, by=None)
    draft = making.draft(invoice.client)
    wrong = [
        *(near(each) for each in (invoice, expired, void, revoked, paid)),
        *(draft.payment_token, guess(), "nonsense", "INV-1-2", "%00", "\u0130NV"),
        invoice.payment_token.lower(),
        f"{invoice.payment_token}x",
    ]
    client = Client(REMOTE_ADDR="192.0.2.1")
    answers = []
    for token in wrong:
        got = client.get(pay_page(token) + tail)
        answers.append(said(got, got.wsgi_request.get_full_path()))
    assert {status for status, _, _ in answers} == {404}
    for answer in answers:
        assert answer == answers[0]


def test_the_api_answers_them_alike(invoice: Invoice) -> None:
    draft = making.draft(invoice.client)
    revoked = making.issued(invoice.client)
    paylinks.revoke(revoked)
    wrong = [near(invoice), near(revoked), draft.payment_token, guess(), "nonsense"]
    bodies = []
    for token in wrong:
        cache.clear()
        answer = Client(REMOTE_ADDR="192.0.2.1").get(f"{API}/pay/{token}/")
        body = answer.content.replace(token.encode(), b"")
        bodies.append((answer.status_code, re.sub(rb'"(instance|trace_id)":"[^"]*"', b"", body)))
    assert {status for status, _ in bodies} == {404}
    assert len({body for _, body in bodies}) == 1


@pytest.mark.slow
def test_it_takes_as_long(invoice: Invoice) -> None:
    """Medians of many tries in turn, so that what slows the machine down slows all of them."""
    kinds: dict[str, Callable[[], str]] = {
        "near": lambda: near(invoice),
        "elsewhere": guess,
        "nonsense": lambda: "nonsense",
    }
    took: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(600):
        for name, make in kinds.items():
            token = make()
            began = perf_counter()
            with pytest.raises(UnknownLink):
                paylinks.find(token)
            took[name].append(perf_counter() - began)
    medians = [statistics.median(times) for times in took.values()]
    assert max(medians) < 1.3 * min(medians)


# -- limits


def answered(ask: Callable[[int], int], tries: int = 30) -> int:
    """How many of so many tries within a minute were answered at all."""
    return sum(ask(n) != 429 for n in range(tries))


def by_link(**extra: Any) -> Callable[[int], int]:
    return lambda n: Client(**extra).get(pay_page(guess())).status_code


def by_link_api(**extra: Any) -> Callable[[int], int]:
    return lambda n: Client(**extra).get(f"{API}/pay/{guess()}/").status_code


def by_key(**extra: Any) -> Callable[[int], int]:
    def ask(n: int) -> int:
        key = f"tally_{n:012x}_{'x' * 43}"
        headers = {"Authorization": f"Bearer {key}", **extra.get("headers", {})}
        rest = {name: value for name, value in extra.items() if name != "headers"}
        return Client(headers=headers, **rest).get(f"{API}/invoices/").status_code

    return ask


def by_password(**extra: Any) -> Callable[[int], int]:
    def ask(n: int) -> int:
        form = {"login": f"name{n}", "password": "wrong"}
        return Client(**extra).post("/accounts/login/", form).status_code

    return ask


DOORS = pytest.mark.parametrize("door", [by_link, by_link_api, by_key, by_password])


@DOORS
def test_a_guesser_is_answered_twenty_times_a_minute(
    door: Callable[..., Callable[[int], int]], db: None
) -> None:
    assert answered(door()) == A_MINUTE


@DOORS
@pytest.mark.parametrize("header", FORGED)
def test_forged_headers_do_not_get_around_it(
    door: Callable[..., Callable[[int], int]], header: str, db: None
) -> None:
    assert answered(lambda n: door(headers={header: f"10.1.{n}.1"})(n)) == A_MINUTE


@DOORS
def test_nor_do_they_behind_a_proxy(
    door: Callable[..., Callable[[int], int]], settings: Settings
) -> None:
    """The proxy appends whom it sees; what stands before that is the guesser's own."""
    settings.BEHIND_PROXY = True

    def ask(n: int) -> int:
        return door(headers={"X-Forwarded-For": f"10.1.{n}.1, 203.0.113.5"})(n)

    assert answered(ask) == A_MINUTE
    other = door(headers={"X-Forwarded-For": "203.0.113.5, 203.0.113.6"})
    assert other(99) != 429


@DOORS
def test_a_household_is_one_address(door: Callable[..., Callable[[int], int]], db: None) -> None:
    assert answered(lambda n: door(REMOTE_ADDR=f"2001:db8::{n:x}")(n)) == A_MINUTE


def test_a_right_token_is_not_answered_either(invoice: Invoice) -> None:
    """Else a guesser who is held up would still see the hit."""
    client = Client()
    assert answered(by_link()) == A_MINUTE
    assert client.get(pay_page(invoice.payment_token)).status_code == 429
    assert client.get(f"{API}/pay/{invoice.payment_token}/").status_code == 429
    assert client.get(pay_page(invoice.payment_token), REMOTE_ADDR="192.0.2.9").status_code == 200


def test_pages_and_api_count_together(db: None) -> None:
    asks = (by_link(), by_link_api())
    assert answered(lambda n: asks[n % 2](n)) == A_MINUTE


@pytest.mark.parametrize(
    "guesses", [500, pytest.param(GUESSES, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_no_guess_of_many_hits(invoice: Invoice, guesses: int) -> None:
    """A thousand guesses a minute, for as long as it takes, from one address."""
    with clock.use(clock.VirtualClock(clock.now())) as time:
        hits = seen = 0
        for n in range(guesses):
            if n % 1000 == 0:
                time.advance(timedelta(minutes=1))
            try:
                link_doors.open_door(guess(), "192.0.2.1")
                hits += 1
            except UnknownLink:
                seen += 1
            except TooMany:
                pass
    assert hits == 0
    assert seen == A_MINUTE * -(-guesses // 1000)
    assert Tries.objects.count() < 10


def test_keys_that_do_not_exist_are_refused_alike(db: None) -> None:
    site = making.website()
    user = making.staff(site)
    key, text = ApiKey.issue(website=site, user=user, name="k", scopes=["read"])
    revoked, gone = ApiKey.issue(website=site, user=user, name="r", scopes=["read"])
    revoked.revoke()
    old, past = ApiKey.issue(
        website=site, user=user, name="o", scopes=["read"], expires_at=clock.now()
    )
    del key, old
    asked = [
        text[:-1] + ("A" if text[-1] != "A" else "B"),
        gone,
        past,
        f"tally_{'0' * 12}_{'x' * 43}",
    ]
    answers = []
    for each in asked:
        answer = Client(headers={"Authorization": f"Bearer {each}"}).get(f"{API}/invoices/")
        answers.append((answer.status_code, answer.content))
    assert {status for status, _ in answers} == {401}
    assert len({body for _, body in answers}) == 1


# -- a GET changes nothing

UNTOUCHED_BUT = {
    "accounts_tries",
    "billing_linkevent",
    "django_session",
    "account_emailaddress",  # allauth copies the address of who opens its page for the first time
    "events_personkey",  # the key under which a visitor's address is logged
}
"""What looking is allowed to write."""


def routes(
    patterns: list[URLPattern | URLResolver] | None = None, before: str = ""
) -> Iterator[str]:
    for each in patterns or get_resolver().url_patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, route)
        elif "(?P" not in route and "\\" not in route:
            yield route


def addresses(values: dict[str, list[str]]) -> Iterator[str]:
    """Each route, with each value that fits its last parameter."""
    for route in routes():
        names = re.findall(r"<(?:\w+:)?(\w+)>", route)
        choices = max((len(values.get(name, ["x"])) for name in names), default=1)
        for n in range(choices):
            path = route
            for name in names:
                fitting = values.get(name, ["x"])
                path = re.sub(rf"<(?:\w+:)?{name}>", fitting[n % len(fitting)], path, count=1)
            yield "/" + path.lstrip("^/").rstrip("$")


def held() -> dict[str, str]:
    tables: dict[str, str] = {}
    for (table, column), text in sorted(worlds.dump().items()):
        if table not in UNTOUCHED_BUT:
            tables[table] = tables.get(table, "") + f"{column}\n{text}"
    return tables


def visitors(*people: User | None) -> Iterator[Client]:
    for person, n in zip(people, count(1)):
        client = Client(REMOTE_ADDR=f"192.0.2.{n}", raise_request_exception=False)
        if person:
            client.force_login(person)
        yield client


def test_looking_at_everything_changes_nothing(invoice: Invoice) -> None:
    account = invoice.client
    paid = making.issued(account)
    payment = mark_paid(paid, by=None)
    making.draft(account)
    boss = User.objects.create_superuser("boss", "boss@site.example", "right")
    rows: list[Any] = [invoice, payment, account, invoice.website, making.owner(invoice)]
    values = {
        "token": [invoice.payment_token, paid.payment_token],
        "uid": [str(row.uid) for row in rows],
        "id": [str(row.uid) for row in rows],
        "object_id": ["1"],
        "name": ["void", "send", "pay", "renew-link", "refund", "credit"],
        "app_label": [config.split(".")[-1] for config in site_settings.INSTALLED_APPS[:3]],
    }
    clients = list(visitors(None, making.owner(invoice), boss))
    before, asked, errors = held(), set(), []
    for client in clients:
        for address in addresses(values):
            Tries.objects.all().delete()
            answer = client.get(address)
            asked.add(address)
            if answer.status_code >= 500:
                errors.append((address, answer.status_code))
            if answer.streaming:
                list(answer)
        for model in admin.site._registry:
            client.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/")
    after = held()
    assert errors == []
    assert len(asked) > 100
    assert {table for table in after if after[table] != before.get(table)} == set()
