"""Addresses in the journal: sealed under a key per person, cheap to write, gone with the key."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import transaction
from pytest_django import DjangoAssertNumQueries, Settings

from tallystick import events
from tallystick.accounts.websites import Website
from tallystick.events import SYSTEM, Actor, ActorKind
from tallystick.events.models import Event, PersonKey
from tallystick.events.personal import forget_keys, opened, seal, sealer_of, show_addresses
from tallystick.kit.encryption import is_sealed, new_key

pytestmark = pytest.mark.django_db

CLERK = Actor(ActorKind.USER, id="7", address="192.0.2.1")
VISITOR = Actor(ActorKind.LINK, id="ABC", address="192.0.2.2", person="account:3")
KEY = Actor(ActorKind.API_KEY, id="5", address="192.0.2.3")


def test_is_sealed_under_the_key_of_whose_it_is(website: Website) -> None:
    for actor in (CLERK, VISITOR, KEY):
        event = events.record("a.b", website, actor=actor)
        event.refresh_from_db()
        assert is_sealed(event.address)
        assert event.address_shown == actor.address
    assert set(PersonKey.objects.values_list("subject", flat=True)) == {
        "user:7", "account:3", "api_key:5",
    }  # fmt: skip


def test_what_is_no_persons_stays_as_it_is(website: Website) -> None:
    provider = Actor(ActorKind.PROVIDER, label="Xero", address="198.51.100.1")
    assert events.record("a.b", website, actor=provider).address == "198.51.100.1"
    assert events.record("a.b", website, actor=SYSTEM).address == ""
    assert not PersonKey.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_costs_a_query_at_first_and_none_later(
    website: Website, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        events.record("a.b", website, actor=SYSTEM)
    events.record("a.b", website, actor=CLERK)
    with django_assert_num_queries(1):
        events.record("a.b", website, actor=CLERK)
    forget_keys()
    with django_assert_num_queries(2):
        events.record("a.b", website, actor=CLERK)


@pytest.mark.django_db(transaction=True)
def test_costs_it_once_in_a_transaction(
    website: Website, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    events.record("a.b", website, actor=CLERK)
    forget_keys()
    with transaction.atomic(), django_assert_num_queries(4):
        for _ in range(3):
            events.record("a.b", website, actor=CLERK)


@pytest.mark.django_db(transaction=True)
def test_a_key_that_was_rolled_back_seals_nothing(website: Website) -> None:
    with transaction.atomic():
        events.record("a.b", website, actor=CLERK)
        transaction.set_rollback(True)
    assert not PersonKey.objects.exists()
    event = events.record("a.b", website, actor=CLERK)
    assert Event.objects.everywhere().get(pk=event.pk).address_shown == CLERK.address


def test_is_gone_with_the_key_here_and_in_other_processes(website: Website) -> None:
    event = events.record("a.b", website, actor=CLERK)
    other = events.record("a.b", website, actor=VISITOR)
    PersonKey.objects.filter(subject="user:7").update(secret="", destroyed_at=event.at)
    again = Event.objects.everywhere().get(pk=event.pk)
    assert again.address_shown == "erased"
    assert Event.objects.everywhere().get(pk=other.pk).address_shown == VISITOR.address


def test_nobody_gets_a_second_key(website: Website) -> None:
    before = events.record("a.b", website, actor=CLERK)
    assert PersonKey.destroy(["user:7", "user:8"]) == 1
    assert PersonKey.destroy(["user:7", "user:8"]) == 0
    forget_keys()
    assert events.record("a.b", website, actor=CLERK).address == ""
    assert seal("user:8", "192.0.2.8") == ""
    assert sealer_of("user:8").digest("x") == ""
    assert Event.objects.everywhere().get(pk=before.pk).address_shown == "erased"


def test_a_page_is_read_in_one_query(
    website: Website, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        events.record(
            "a.b", website, actor=Actor(ActorKind.USER, str(number), "", f"10.0.0.{number}")
        )
    rows = list(Event.objects.of(website).order_by("id"))
    with django_assert_num_queries(1):
        show_addresses(rows)
        shown = [row.address_shown for row in rows]
    assert shown == [f"10.0.0.{number}" for number in range(12)]


def test_one_persons_key_does_not_open_anothers() -> None:
    sealed = seal("user:7", "192.0.2.1")
    other = PersonKey.of("user:8")
    moved = ":".join(["v1", other.uid.hex, sealed.split(":")[2]])
    from tallystick.kit.encryption import WrongKey

    with pytest.raises(WrongKey):
        opened([moved])
    assert opened([sealed, "", "192.0.2.9"]) == ["192.0.2.1", "", "192.0.2.9"]


def test_keys_are_renewed_with_the_rest(settings: Settings) -> None:
    sealed = seal("user:7", "192.0.2.1")
    settings.FIELD_KEYS = f"new:{new_key()},{settings.FIELD_KEYS}"
    call_command("rotate_keys", verbosity=0)
    settings.FIELD_KEYS = settings.FIELD_KEYS.split(",")[0]
    assert opened([sealed]) == ["192.0.2.1"]
