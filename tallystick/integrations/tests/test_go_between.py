"""The engine and a go-between: accepted is not done; its callback, or a deadline, settles the link."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings

from tallystick.accounts.models import Account, Organisation
from tallystick.integrations import clients, details
from tallystick.integrations.advice import advice
from tallystick.integrations.connections import Connection
from tallystick.integrations.invoice_ninja import routes, settling
from tallystick.integrations.invoice_ninja.callbacks import Callback, Conflict, Effect
from tallystick.integrations.invoice_ninja.states import SyncStatus, is_in, status_of
from tallystick.integrations.links import Link
from tallystick.integrations.push import PushRun
from tallystick.integrations.tests.conftest import Site
from tallystick.integrations.work import connections_with_work
from tallystick.kit.clock import VirtualClock
from tallystick.people.models import User
from tallystick.ports.records import SENSITIVE, Kind
from tallystick.ports.sandboxing import Fault, FaultKind, transport
from tallystick.ports.testing import Recorder
from tallystick.providers.relay.sandbox import RelayStand
from tallystick.queue.rows import State

DEADLINE = timedelta(seconds=3601)


class Relayed(Site):
    """A website whose users go by the relay."""

    network: Recorder
    stand: Any

    def sent(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.network.requests()]

    def told(self) -> None:
        """All callbacks come in."""
        for delivery in self.stand.pending_deliveries():
            body = json.loads(delivery.body)
            link = Link.objects.get(key=body["key"])
            remote = body.get("invoice_ninja_client_id") or body.get("invoice_ninja_product_id")
            settling.settle(
                link,
                Callback(
                    success=body["success"],
                    remote_id=remote or "",
                    message=body["message"],
                    retry=bool(body.get("retry")),
                    delivery_id=body["delivery_id"],
                ),
            )

    def user(self, name: str = "anna") -> Any:  # noqa: ANN401 - with the attributes it is given
        person = self.customer(name).user
        assert person is not None
        return User.objects.get(pk=person.pk)


@pytest.fixture
def relayed(db: None, now: VirtualClock) -> Iterator[Relayed]:
    from tallystick.accounts.models import Website

    stand: Any = RelayStand(now)
    website = Website.objects.create(
        name="Lindenhof", domain="lindenhof.example", currency="EUR", country="DE", is_default=True
    )
    connection = Connection.objects.create(
        website=website,
        type="INVOICE_NINJA_RELAY",
        name="Relay",
        credentials={"webhook_secret": stand.secret},
        custom_data={"webhook_url": stand.webhook_url},
    )
    site = Relayed(website, connection, stand)
    site.network = Recorder(transport(stand))
    with clients.using(lambda connection: site.network):
        yield site


def test_accepted_is_not_done(relayed: Relayed) -> None:
    user = relayed.user()
    relayed.serve()
    assert (user.invoiceninja_sync_status, user.invoiceninja_client_id) == ("pending", None)
    assert user.invoiceninja_sync_attempts == 1
    assert user.invoiceninja_last_sync_attempt is not None
    assert not connections_with_work().exists()
    relayed.told()
    assert user.invoiceninja_sync_status == "synced"
    assert user.invoiceninja_client_id
    assert user.invoiceninja_sync_attempts == 1


def test_without_a_callback_the_same_delivery_is_repeated(
    relayed: Relayed, now: VirtualClock
) -> None:
    relayed.stand.silence()
    user = relayed.user()
    relayed.serve()
    now.advance(DEADLINE)
    relayed.serve()
    first, again = relayed.sent()
    assert first["delivery_id"] == again["delivery_id"]
    assert user.invoiceninja_sync_status == "retry"
    assert user.invoiceninja_sync_attempts == 2
    assert "no callback" in relayed.link(Kind.CUSTOMER).last_error
    assert relayed.made("customers") == {relayed.link(Kind.CUSTOMER).key: 1}


def test_after_the_last_try_it_is_given_up_and_force_forces(
    relayed: Relayed, now: VirtualClock
) -> None:
    relayed.stand.silence()
    user = relayed.user()
    for _ in range(5):
        relayed.serve()
        now.advance(DEADLINE)
    assert len(relayed.sent()) == 3
    assert user.invoiceninja_sync_status == "failed"
    assert "accepted 3 times" in relayed.link(Kind.CUSTOMER).last_error
    relayed.stand.silence(on=False)
    Link.objects.filter(connection=relayed.connection).revive(force=True)
    relayed.serve()
    assert relayed.sent()[-1]["delivery_id"] != relayed.sent()[0]["delivery_id"]
    relayed.told()
    assert user.invoiceninja_sync_status == "synced"


def test_what_was_never_answered_was_not_accepted(
    relayed: Relayed, now: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is killed between the sending and its answer leaves it open."""
    relayed.stand.faults.switch_on(Fault(kind=FaultKind.LOST_ANSWER, times=1))
    relayed.stand.silence()
    relayed.user()
    relayed.serve()
    timed_out = relayed.link(Kind.CUSTOMER).last_error
    now.advance(timedelta(minutes=1))
    with monkeypatch.context() as killed:
        killed.setattr(PushRun, "_write", lambda run: None)
        relayed.serve()
    link = relayed.link(Kind.CUSTOMER)
    assert (link.state, link.attempts, link.last_error) == (State.UNCERTAIN, 1, timed_out)
    assert "callback" not in advice(link).what
    now.advance(timedelta(minutes=1))
    relayed.serve()
    link = relayed.link(Kind.CUSTOMER)
    assert (link.attempts, link.last_error) == (2, timed_out)
    assert "is to call back by" in advice(link).what
    now.advance(DEADLINE)
    relayed.serve()
    assert "no callback" in relayed.link(Kind.CUSTOMER).last_error
    assert len({body["delivery_id"] for body in relayed.sent()}) == 1


def test_a_late_success_counts_after_giving_up(relayed: Relayed, now: VirtualClock) -> None:
    user = relayed.user()
    for _ in range(4):
        relayed.serve()
        now.advance(DEADLINE)
    assert user.invoiceninja_sync_status == "failed"
    relayed.told()
    assert user.invoiceninja_sync_status == "synced"
    assert relayed.link(Kind.CUSTOMER).last_error == ""


def test_an_edit_meanwhile_is_sent_under_another_identity(relayed: Relayed) -> None:
    user = relayed.user()
    relayed.serve()
    user.last_name = "Beckmann"
    user.save()
    relayed.told()
    assert user.invoiceninja_sync_status == "pending"
    relayed.serve()
    first, second = relayed.sent()
    assert (first["event"], second["event"]) == ("user.created", "user.updated")
    assert second["invoice_ninja_client_id"] == user.invoiceninja_client_id
    assert first["delivery_id"] != second["delivery_id"]
    relayed.told()
    assert user.invoiceninja_sync_status == "synced"


def test_several_quick_edits_are_one_send_and_none_is_none(relayed: Relayed) -> None:
    user = relayed.user()
    for name in ("Berg", "Berger", "Bergmann"):
        user.last_name = name
        user.save()
    relayed.serve()
    relayed.told()
    user.save()
    relayed.serve()
    assert [body["data"]["last_name"] for body in relayed.sent()] == ["Bergmann"]


def test_failures_say_what_is_next(relayed: Relayed, now: VirtualClock) -> None:
    user = relayed.user()
    relayed.stand.fail_next(1, "Invoice Ninja is down.", retry=True)
    relayed.serve()
    relayed.told()
    assert user.invoiceninja_sync_status == "retry"
    assert relayed.link(Kind.CUSTOMER).last_error == "Invoice Ninja is down."
    assert user.invoiceninja_sync_attempts == 1
    relayed.stand.fail_next(1, "The e-mail address is not valid.", retry=False)
    now.advance(timedelta(hours=1))
    relayed.serve()
    relayed.told()
    assert user.invoiceninja_sync_status == "failed"
    assert user.invoiceninja_sync_attempts == 2


def test_an_outage_charges_no_link(relayed: Relayed, now: VirtualClock) -> None:
    users = [relayed.user(f"u{n}") for n in range(12)]
    relayed.stand.faults.switch_on(Fault(kind=FaultKind.REFUSED))
    for _ in range(20):
        if connections_with_work().exists():
            relayed.serve()
        now.advance(timedelta(minutes=20))
    assert not Link.objects.filter(state=State.DEAD).exists()
    relayed.stand.faults.clear()
    relayed.serve()
    relayed.told()
    assert {user.invoiceninja_sync_status for user in users} == {"synced"}


def test_the_words_and_the_conditions_agree(relayed: Relayed, now: VirtualClock) -> None:
    waiting = relayed.user("waiting")
    relayed.serve()
    done = relayed.user("done")
    relayed.stand.fail_next(0)
    relayed.serve()
    link = routes.links_of_users([done.pk])[done.pk]
    settling.settle(link, Callback(success=True, remote_id="abc"))
    Link.objects.filter(pk=routes.links_of_users([waiting.pk])[waiting.pk].pk).update(
        last_error="Down."
    )
    for link in routes.links(Kind.CUSTOMER):
        word = status_of(link).value
        agreeing = [
            status for status in SyncStatus.values
            if Link.objects.filter(is_in(status), pk=link.pk).exists()
        ]  # fmt: skip
        assert agreeing == [word]
    found = {
        status: set(User.objects.filter(routes.users_with(is_in(status))))
        for status in SyncStatus.values
    }
    assert found == {"pending": set(), "retry": {waiting}, "synced": {done}, "failed": set()}


def test_another_id_changes_nothing(relayed: Relayed) -> None:
    anna, bert = relayed.user("anna"), relayed.user("bert")
    relayed.serve()
    links = routes.links_of_users([anna.pk, bert.pk])
    assert settling.settle(links[anna.pk], Callback(True, "abc")) == Effect.SYNCED
    assert settling.settle(links[anna.pk], Callback(True, "abc")) == Effect.NOTHING
    assert settling.settle(links[anna.pk], Callback(False, message="Late")) == Effect.NOTHING
    with pytest.raises(Conflict):
        settling.settle(links[anna.pk], Callback(True, "other"))
    with pytest.raises(Conflict):
        settling.settle(links[bert.pk], Callback(True, "abc"))
    assert anna.invoiceninja_client_id == "abc"
    assert bert.invoiceninja_sync_status == "pending"


@pytest.mark.parametrize(("most", "told"), [("100", "100"), ("12.5000", "12.5"), ("0", "0")])
def test_a_percentage_is_told_without_needless_zeros(
    relayed: Relayed, most: str, told: str
) -> None:
    product = relayed.product()
    product.max_discount_percentage = Decimal(most)
    product.save()
    product.refresh_from_db()
    assert dict(details.of_product(product))["max_discount_percentage"] == told


def test_an_organisation_is_left_out_in_words(relayed: Relayed) -> None:
    club = Organisation.objects.create(website=relayed.website, name="Chess club")
    Account.open_for_organisation(club)
    relayed.serve()
    assert relayed.sent() == []
    link = relayed.link(Kind.CUSTOMER)
    assert (link.state, link.remote_id) == (State.DONE, "")
    assert "organisation" in link.last_error


def test_a_product_goes_and_is_put_away_when_it_is_deleted(relayed: Relayed) -> None:
    product: Any = relayed.product()
    relayed.serve()
    assert product.invoiceninja_sync_status == "pending"
    relayed.told()
    assert product.invoiceninja_sync_status == "synced"
    product.delete()
    relayed.serve()
    assert [body["event"] for body in relayed.sent()] == ["product.created", "product.deleted"]
    assert relayed.link(Kind.PRODUCT).state == State.DONE
    relayed.serve()
    assert len(relayed.sent()) == 2


@pytest.mark.parametrize("by_connection", [True, False])
@pytest.mark.parametrize("by_site", [True, False])
def test_health_data_leave_only_where_both_allow_it(
    relayed: Relayed,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    by_site: bool,
    by_connection: bool,
) -> None:
    caplog.set_level(logging.DEBUG)
    settings.INVOICE_NINJA_SEND_SENSITIVE_FIELDS = by_site
    relayed.connection.custom_data["send_sensitive_fields"] = by_connection
    relayed.connection.save()
    user = relayed.user()
    for name in SENSITIVE:
        setattr(user, name, f"canary-{name}")
    user.save()
    relayed.serve()
    (body,) = relayed.sent()
    said = {name: body["data"][name] for name in SENSITIVE}
    allowed = by_site and by_connection
    assert said == {name: f"canary-{name}" if allowed else None for name in SENSITIVE}
    assert allowed == ("canary" in json.dumps(body))
    assert "canary" not in caplog.text


def test_of_two_who_are_told_the_same_id_at_once_the_second_is_in_conflict(
    relayed: Relayed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when another's callback comes in after it was looked who has the id."""
    told = Callback(success=True, remote_id="abc")
    for name in ("anna", "bert", "carl"):
        relayed.customer(name)
    anna, bert, carl = relayed.links(Kind.CUSTOMER)
    monkeypatch.setattr(settling._Sitting, "_is_another", lambda *_: False)
    outcomes = settling.settle_all([(anna, told), (bert, told), (carl, Callback(True, "c"))])
    assert outcomes[0] == outcomes[2] == Effect.SYNCED
    assert isinstance(outcomes[1], Conflict)


def test_a_health_field_under_another_name_is_one(relayed: Relayed, settings: Settings) -> None:
    settings.INVOICE_NINJA_USER_FIELDS = {"referral_code": "allergies"}
    user = relayed.user()
    user.allergies = "canary"
    user.save()
    relayed.serve()
    assert "canary" not in json.dumps(relayed.sent())
