"""Callbacks that come at the wrong moment: before the delivery is answered, and two at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import httpx2
import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from tallystick.accounts.models import Website
from tallystick.events.models import Event
from tallystick.integrations import clients
from tallystick.integrations.connections import Connection
from tallystick.integrations.invoice_ninja import settling
from tallystick.integrations.invoice_ninja.callbacks import Callback, Conflict, Effect
from tallystick.integrations.links import Link
from tallystick.integrations.push import Answer, Batch, PushRun
from tallystick.integrations.tests.conftest import Site
from tallystick.kit import clock
from tallystick.kit.clock import VirtualClock
from tallystick.people.models import User
from tallystick.ports.records import Kind
from tallystick.queue.rows import State

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("healthy")]


class Relayed(Site):
    """A website whose relay answers as `answer` does, and whose callback `before` that is already
    here when its answer is looked at."""

    before: Callback | None = None
    sent: list[dict[str, Any]]
    answer: httpx2.Response | Exception = httpx2.Response(202)
    seconds: float = 0.0

    def user(self, name: str = "anna") -> Any:  # noqa: ANN401 - with what is attached to it
        user = self.customer(name).user
        assert user is not None
        return User.objects.get(pk=user.pk)

    def carry(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(json.loads(request.content))
        clock.sleep(self.seconds)
        if isinstance(self.answer, Exception):
            raise self.answer
        return httpx2.Response(self.answer.status_code)


def connect(website: Website) -> Connection:
    return Connection.objects.create(
        website=website,
        type="INVOICE_NINJA_RELAY",
        name="Relay",
        credentials={"webhook_secret": "relay-secret"},
        custom_data={"webhook_url": "https://relay.example/webhook/invoice-ninja-sync"},
    )


@pytest.fixture
def relayed(db: None, now: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relayed]:
    website = Website.objects.create(
        name="Lindenhof", domain="lindenhof.example", currency="EUR", country="DE", is_default=True
    )
    site = Relayed(website, connect(website), None)  # type: ignore[arg-type] # answers by itself
    site.sent = []
    settle = PushRun._settle

    def after_the_callback(run: PushRun, batch: Batch, answer: Answer) -> None:
        if site.before:
            settling.settle(batch.items[0].link, site.before)
        settle(run, batch, answer)

    monkeypatch.setattr(PushRun, "_settle", after_the_callback)
    with clients.using(lambda connection: httpx2.MockTransport(site.carry)):
        yield site


ANSWERS = pytest.mark.parametrize(
    "answer", [httpx2.Response(202), httpx2.Response(400), httpx2.ReadTimeout("Too slow.")]
)


@ANSWERS
def test_a_success_before_the_answer_counts(
    relayed: Relayed, answer: httpx2.Response | Exception
) -> None:
    """n8n, where it answers when its last step is done, always calls back first."""
    relayed.before, relayed.answer = Callback(success=True, remote_id="abc"), answer
    user = relayed.user()
    relayed.serve()
    assert (user.invoiceninja_sync_status, user.invoiceninja_client_id) == ("synced", "abc")
    assert user.invoiceninja_sync_attempts == 1
    user.save()
    relayed.serve()
    assert relayed.link(Kind.CUSTOMER).state == State.DONE


@ANSWERS
def test_a_failure_before_the_answer_counts(
    relayed: Relayed, answer: httpx2.Response | Exception
) -> None:
    relayed.before, relayed.answer = Callback(success=False, message="No e-mail address."), answer
    user = relayed.user()
    relayed.serve()
    assert (user.invoiceninja_sync_status, user.invoiceninja_sync_attempts) == ("failed", 1)
    assert relayed.link(Kind.CUSTOMER).last_error == "No e-mail address."


def test_a_failure_before_a_slow_answer_counts(relayed: Relayed) -> None:
    relayed.before, relayed.seconds = Callback(success=False, message="No e-mail address."), 31.0
    user = relayed.user()
    relayed.serve()
    assert (user.invoiceninja_sync_status, user.invoiceninja_sync_attempts) == ("failed", 1)


def test_an_edit_before_the_answer_counts_too(
    relayed: Relayed, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = relayed.user()
    settle = PushRun._settle

    def after_an_edit(run: PushRun, batch: Batch, answer: Answer) -> None:
        monkeypatch.setattr(PushRun, "_settle", settle)
        User.objects.get(pk=user.pk).save()
        settle(run, batch, answer)

    monkeypatch.setattr(PushRun, "_settle", after_an_edit)
    relayed.serve()
    assert user.invoiceninja_sync_status == "pending"
    relayed.serve()
    assert relayed.link(Kind.CUSTOMER).state == State.UNCERTAIN


# -- while a turn is on its way


class Meanwhile:
    """What happens between a turn's reading of links and its writing of results."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch, self._write = monkeypatch, PushRun._write

    def does(self, act: Callable[[], object]) -> None:
        def after_that(run: PushRun) -> None:
            if run._results:
                self._patch.setattr(PushRun, "_write", self._write)
                act()
            self._write(run)

        self._patch.setattr(PushRun, "_write", after_that)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    return Meanwhile(monkeypatch)


def test_a_success_counts_more_than_giving_up(
    relayed: Relayed, now: VirtualClock, meanwhile: Meanwhile
) -> None:
    user = relayed.user()
    for _ in range(3):
        relayed.serve()
        now.advance(timedelta(seconds=3601))
    link = relayed.link(Kind.CUSTOMER)
    meanwhile.does(lambda: settling.settle(link, Callback(True, "abc")))
    relayed.serve()
    assert (user.invoiceninja_sync_status, user.invoiceninja_client_id) == ("synced", "abc")


def test_a_success_counts_more_than_what_needs_no_call(
    relayed: Relayed, meanwhile: Meanwhile
) -> None:
    product = relayed.product()
    relayed.serve()
    product.delete()
    link = relayed.link(Kind.PRODUCT)
    meanwhile.does(lambda: settling.settle(link, Callback(True, "abc")))
    relayed.serve()
    relayed.serve()
    assert [body["event"] for body in relayed.sent] == ["product.created", "product.deleted"]


def test_a_failure_before_the_last_answer_ends_the_tries(
    relayed: Relayed, now: VirtualClock
) -> None:
    relayed.before = Callback(False, message="Down.", retry=True)
    user = relayed.user()
    for _ in range(6):
        relayed.serve()
        now.advance(timedelta(hours=2))
    assert len(relayed.sent) == 3
    assert (user.invoiceninja_sync_status, user.invoiceninja_sync_attempts) == ("failed", 3)


def test_results_of_many_links_are_one_statement(relayed: Relayed) -> None:
    if database.vendor != "postgresql":
        pytest.skip("SQLite takes one a row.")
    for n in range(20):
        relayed.user(f"u{n}")
    with CaptureQueriesContext(database) as seen:
        relayed.serve()
    written = [each for each in seen if "was_due_at" in each["sql"]]
    assert 1 <= len(written) <= 5


# -- deleted here before it is told of


@pytest.mark.parametrize("turn_first", [False, True])
@pytest.mark.parametrize("kind", [Kind.CUSTOMER, Kind.PRODUCT])
def test_what_was_deleted_before_its_callback_is_put_away(
    relayed: Relayed, kind: Kind, turn_first: bool
) -> None:
    obj = relayed.customer() if kind is Kind.CUSTOMER else relayed.product()
    relayed.serve()
    obj.delete()
    if turn_first:
        relayed.serve()
    settling.settle(
        relayed.link(kind), Callback(True, "abc", delivery_id=relayed.sent[0]["delivery_id"])
    )
    relayed.serve()
    noun = "user" if kind is Kind.CUSTOMER else "product"
    assert [body["event"] for body in relayed.sent] == [f"{noun}.created", f"{noun}.deleted"]
    assert relayed.sent[1]["key"] == relayed.link(kind).key
    relayed.serve()
    assert (relayed.link(kind).state, len(relayed.sent)) == (State.DONE, 2)


@pytest.mark.parametrize("answer", [httpx2.Response(502), httpx2.Response(400)], ids=str)
@pytest.mark.parametrize("is_deleted", [True, False], ids=["archive", "update"])
def test_a_repeat_of_an_earlier_success_ends_no_later_try_that_failed(
    relayed: Relayed, now: VirtualClock, answer: httpx2.Response, is_deleted: bool
) -> None:
    """A relay that says no `delivery_id` may repeat what it told of the create."""
    product = relayed.product()
    relayed.serve()
    created = Callback(True, "abc")
    settling.settle(relayed.link(Kind.PRODUCT), created)
    if is_deleted:
        product.delete()
    else:
        product.description = "Of zirconia"
        product.save()
    relayed.answer = answer
    relayed.serve()
    assert settling.settle(relayed.link(Kind.PRODUCT), created) is Effect.NOTHING
    relayed.answer = httpx2.Response(202)
    Link.objects.revive()
    relayed.serve()
    change = "deleted" if is_deleted else "updated"
    assert [body["event"] for body in relayed.sent[1:]] == [f"product.{change}"] * 2
    assert (relayed.link(Kind.PRODUCT).state == State.DONE) is is_deleted


@pytest.mark.parametrize("is_before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("earlier", [Callback(True, "abc"), Callback(False)], ids=["good", "bad"])
def test_a_callback_of_an_earlier_try_ends_no_archive_that_fails(
    relayed: Relayed, earlier: Callback, is_before: bool
) -> None:
    """It comes before the archive's own answer, or after."""
    product = relayed.product()
    relayed.serve()
    settling.settle(relayed.link(Kind.PRODUCT), Callback(True, "abc"))
    product.delete()
    relayed.answer = httpx2.Response(502)
    relayed.before = earlier if is_before else None
    relayed.serve()
    assert settling.settle(relayed.link(Kind.PRODUCT), earlier) is Effect.NOTHING
    assert relayed.link(Kind.PRODUCT).state == State.DUE


def test_a_success_after_giving_up_counts_for_an_update_too(
    relayed: Relayed, now: VirtualClock
) -> None:
    product = relayed.product()
    relayed.serve()
    settling.settle(relayed.link(Kind.PRODUCT), Callback(True, "abc"))
    product.description = "Of zirconia"
    product.save()
    for _ in range(4):
        relayed.serve()
        now.advance(timedelta(seconds=3601))
    assert relayed.link(Kind.PRODUCT).state == State.DEAD
    told = settling.settle(relayed.link(Kind.PRODUCT), Callback(True, "abc"))
    assert (told, relayed.link(Kind.PRODUCT).state) == (Effect.SYNCED, State.DONE)


# -- at once


def at_once(links: list[Link], told: list[Callback]) -> list[object]:
    """What each callback did or raised; all start in the same moment."""
    gate = threading.Barrier(len(told))

    def run(link: Link, callback: Callback) -> object:
        gate.wait()
        try:
            return settling.settle(link, callback)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test judges it
            return error
        finally:
            database.close()

    with ThreadPoolExecutor(len(told)) as pool:
        return [
            future.result()
            for future in [
                pool.submit(partial(run, link, callback))
                for link, callback in zip(links, told, strict=True)
            ]
        ]


@pytest.fixture
def website(transactional_db: None) -> Website:
    website = Website.objects.create(
        name="Lindenhof", domain="lindenhof.example", currency="EUR", country="DE", is_default=True
    )
    connect(website)
    return website


def links(website: Website, number: int) -> list[Link]:
    for n in range(number):
        User.objects.create_user(f"u{n}", f"u{n}@example.org")
    return list(Link.objects.filter(kind=Kind.CUSTOMER.value).order_by("pk"))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_the_same_callback_is_taken_once(self, website: Website) -> None:
        (link,) = links(website, 1)
        done = at_once([link] * 10, [Callback(True, "abc")] * 10)
        assert sorted(map(str, done)) == [Effect.NOTHING] * 9 + [Effect.SYNCED]
        assert Event.objects.everywhere().filter(kind="link.confirmed").count() == 1

    def test_of_two_ids_one_wins(self, website: Website) -> None:
        (link,) = links(website, 1)
        done = at_once([link] * 10, [Callback(True, f"id{n}") for n in range(10)])
        assert [type(each) for each in done].count(Conflict) == 9
        assert [each for each in done if isinstance(each, Effect)] == [Effect.SYNCED]

    def test_of_two_users_one_gets_the_id(self, website: Website) -> None:
        done = at_once(links(website, 10), [Callback(True, "abc")] * 10)
        assert [type(each) for each in done].count(Conflict) == 9, done
        assert Link.objects.filter(remote_id="abc").count() == 1

    def test_success_beats_failure(self, website: Website) -> None:
        (link,) = links(website, 1)
        at_once([link] * 10, [Callback(n % 2 == 0, "abc" if n % 2 == 0 else "") for n in range(10)])
        assert Link.objects.filter(remote_id="abc", state=State.DONE).count() == 1
