"""G1, G2, G3 and P9: what pages, API and worker cost at a thousand rows and at a million.

    python -m benchmarks.g_scale --postgres postgres:///test [--sizes 1000 10000 100000 1000000]

One database grows through the sizes; at each, every place is visited with the usual request, in
process, as staff of the website that holds all rows. Counted: queries (G1). Timed: the median of
`--rounds` visits (G2). At the last size the plans of all their queries are read: none may go through
a big table from end to end, or sort a large part of one (G3). P9: the list by API beside Django REST
framework's own paging by limit and offset over the same table.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import quote, unquote

from benchmarks.stage import own_database

if TYPE_CHECKING:
    from django.test import Client

_MARKS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "SET ")
_API = "/api/v1/order-payments"


@dataclass
class Place:
    """A request, and what it took: queries and median milliseconds, by size."""

    visit: Callable[[Stage], object]
    queries: dict[int, int] = field(default_factory=dict)
    took: dict[int, float] = field(default_factory=dict)
    plans: list[str] = field(default_factory=list)


@dataclass
class Stage:
    """Who asks, and the rows that are asked for."""

    staff: Client
    anonymous: Client
    size: int = 0
    uid: str = ""
    number: str = ""
    token: str = ""
    account: str = ""
    email: str = ""
    middle: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Any:  # noqa: ANN401 - as Django's test client
        return _found(self.staff.get(path), path)

    def next_of(self, path: str) -> str:
        """The address of a page in the middle of a list."""
        return self.middle[path]


def main() -> None:
    arguments = _arguments()
    logging.disable()
    with own_database(arguments.postgres), _without_limits():
        stage = _stage()
        places = _places()
        for size in arguments.sizes:
            _grow(stage, size)
            for name, place in places.items():
                _measure(stage, name, place, arguments.rounds)
        for place in places.values():
            place.plans = _bad_plans(stage, place)
        peer = _peer(arguments.rounds)
    _show(places, arguments.sizes, peer)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--postgres", required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=30)
    return parser.parse_args()


def _places() -> dict[str, Place]:
    def pages(path: str) -> dict[str, Place]:
        return {
            f"{path} first": Place(lambda stage: stage.get(path)),
            f"{path} middle": Place(lambda stage: stage.get(stage.next_of(path))),
        }

    def one(path: str) -> dict[str, Place]:
        return {path: Place(lambda stage: stage.get(path.format(**vars(stage))))}

    invoices = f"{_API}/invoices/"
    return {
        **pages(invoices),
        **one(f"{invoices}?status=open"),
        **one(f"{invoices}?overdue=true"),
        **one(f"{invoices}?client={{account}}"),
        **one(f"{invoices}?ordering=due_date"),
        **one(f"{invoices}?ordering=-amount"),
        **one(f"{invoices}?search={{number}}"),
        **one(f"{invoices}?search={{email}}"),
        **one(f"{invoices}{{uid}}/"),
        **pages(f"{_API}/payments/"),
        **one(f"{_API}/clients/?search={{email}}"),
        **one(f"{_API}/stats/"),
        "/staff/invoices/": Place(lambda stage: stage.get("/staff/invoices/")),
        **one("/staff/invoices/?q={number}"),
        **one("/staff/invoices/{uid}/"),
        **one("/staff/payments/"),
        **one("/staff/clients/"),
        **one("/staff/clients/{account}/"),
        **one("/staff/mail/"),
        **one("/staff/"),
        "pay page": Place(
            lambda stage: _found(stage.anonymous.get(f"/pay/invoice/{stage.token}/"), "pay")
        ),
        "10 due e-mails claimed": Place(lambda _stage: _claim()),
    }


def _found(response: Any, path: str) -> Any:  # noqa: ANN401 - as Django's test client
    assert response.status_code == 200, f"{path}: {response.status_code}"
    return response


def _claim() -> None:
    """Ten due rows, and given back."""
    from django.db import transaction

    from tallystick.billing.emails import Email

    with transaction.atomic():
        claimed = Email.claim(10, "bench", 60)
        assert len(claimed) == 10
        transaction.set_rollback(True)


def _measure(stage: Stage, name: str, place: Place, rounds: int) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    place.visit(stage)
    with CaptureQueriesContext(connection) as captured:
        place.visit(stage)
    asked = [each["sql"] for each in captured if not each["sql"].startswith(_MARKS)]
    place.queries[stage.size] = len(asked)
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        place.visit(stage)
        taken.append((time.perf_counter() - began) * 1000)
    place.took[stage.size] = statistics.median(taken)
    print(f"{stage.size:>9,}  {len(asked):>3} queries  {place.took[stage.size]:8.2f} ms  {name}")


def _bad_plans(stage: Stage, place: Place) -> list[str]:
    """Of the queries of a visit those that read a big table whole, or sort much of one."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        place.visit(stage)
    bad = []
    for each in captured:
        sql = each["sql"]
        if not sql.startswith(("SELECT", "WITH")):
            continue
        with closing(connection.cursor()) as cursor:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}".replace("%", "%%"), None)
            plan = cursor.fetchone()[0][0]["Plan"]
        bad += [f"{fault}: {sql[:300]}" for fault in _faults(plan)]
    return bad


def _faults(plan: dict[str, Any]) -> Iterator[str]:
    from benchmarks.crowd import BIG

    if plan["Node Type"] == "Seq Scan" and plan.get("Relation Name") in BIG:
        yield f"reads all of {plan['Relation Name']}"
    if plan["Node Type"] == "Sort" and plan["Plan Rows"] > 20_000:
        yield f"sorts {plan['Plan Rows']} rows"
    for part in plan.get("Plans", ()):
        yield from _faults(part)


@contextmanager
def _without_limits() -> Iterator[None]:
    from tallystick.accounts.models import Tries

    with (
        mock.patch.object(Tries, "add", return_value=1),
        mock.patch.object(Tries, "add_beside", return_value=(1, 1)),
    ):
        yield


def _stage() -> Stage:
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    from tallystick.accounts.models import Membership
    from tallystick.accounts.standing import Role
    from tallystick.billing import payments
    from tallystick.billing.tests import samples

    settings.ALLOWED_HOSTS = ["*"]
    website = samples.studio()
    account = samples.client(website)
    boss = get_user_model().objects.create_user("boss", password="x", is_staff=True)
    Membership.objects.create(user=boss, website=website, role=Role.ADMIN)
    staff = Client()
    staff.force_login(boss)
    samples.invoice(account)
    payments.mark_paid(samples.invoice(account), by=None)
    return Stage(staff, Client())


def _grow(stage: Stage, size: int) -> None:
    from benchmarks import crowd
    from tallystick.accounts.models import Account
    from tallystick.billing.invoices import Invoice

    crowd.grow(stage.size + 1, size)
    stage.size = size
    middle = Invoice.objects.everywhere().get(number=f"OLD-{size // 2:08d}")
    stage.uid, stage.number, stage.token = str(middle.uid), middle.number, middle.payment_token
    account = Account.objects.everywhere().select_related("user").get(pk=middle.client_id)
    stage.account, stage.email = str(account.uid), account.email
    lists = (f"{_API}/invoices/", f"{_API}/payments/")
    stage.middle = {path: _middle(stage, path) for path in lists}


def _middle(stage: Stage, path: str) -> str:
    """A page in the middle: the cursor of a row there, made as the list makes its own."""
    from django.core import signing

    from benchmarks.crowd import BASE
    from tallystick.api.paging import _SALT as SALT
    from tallystick.billing.invoices import Invoice
    from tallystick.billing.payments import Payment

    first = stage.get(path).json()["next"]
    text = re.search(r"cursor=([^&]+)", first)
    assert text
    tag, back, *_place = signing.loads(unquote(text[1]), salt=SALT)
    model = Invoice if "invoices" in path else Payment
    row = (
        model._default_manager.everywhere().filter(pk__gte=BASE + stage.size // 2).order_by("pk")[0]
    )
    cursor = signing.dumps(
        [tag, back, row.created_at.isoformat(), row.pk], salt=SALT, compress=False
    )
    return f"{path}?cursor={quote(cursor)}"


def _peer(rounds: int) -> dict[str, float]:
    """Django REST framework's list of the same invoices by limit and offset: first page, and middle."""
    from django.test import RequestFactory
    from rest_framework import generics, pagination, serializers

    from tallystick.billing.invoices import Invoice

    class Body(serializers.ModelSerializer[Invoice]):
        class Meta:
            model = Invoice
            fields = [
                *("uid", "number", "status", "currency", "amount", "amount_paid", "due_date"),
                *("issue_date", "created_at", "title", "reference_id", "client"),
            ]

    class Listed(generics.ListAPIView[Invoice]):
        queryset = Invoice.objects.everywhere().order_by("-created_at", "-id")
        serializer_class = Body
        pagination_class = pagination.LimitOffsetPagination
        permission_classes = ()
        authentication_classes = ()
        filter_backends = ()
        throttle_classes = ()

    view, factory = Listed.as_view(), RequestFactory()
    total = Invoice.objects.everywhere().count()
    took = {}
    for name, offset in (("first", 0), ("middle", total // 2)):
        taken = []
        for _ in range(max(rounds // 6, 3)):
            began = time.perf_counter()
            view(factory.get("/", {"limit": 50, "offset": offset})).render()
            taken.append((time.perf_counter() - began) * 1000)
        took[name] = statistics.median(taken)
    return took


def _show(places: dict[str, Place], sizes: list[int], peer: dict[str, float]) -> None:
    small, large = sizes[0], sizes[-1]
    results: dict[str, Any] = {}
    for name, place in places.items():
        ratio = place.took[large] / place.took[small]
        same = len(set(place.queries.values())) == 1
        results[name] = {
            "queries": place.queries[large],
            "same": same,
            "ms": round(place.took[large], 2),
            "ratio": round(ratio, 2),
            "plans": place.plans,
        }
        flag = "" if same else f"  queries {place.queries}"
        print(f"{ratio:5.2f}  {place.took[large]:8.2f} ms  {place.queries[large]:>3}  {name}{flag}")
        for fault in place.plans:
            print(f"       G3 {fault}")
    ours = places[f"{_API}/invoices/ first"].took[large]
    print(f"limit/offset by DRF: {peer}; ours {ours:.2f} ms: {peer['first'] / ours:.1f} times")
    print(json.dumps({"name": "G1-G3, P9", "sizes": sizes, "places": results, "peer": peer}))


if __name__ == "__main__":
    main()
