from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from tallystick import events
from tallystick.accounts.tenancy import NoTenant
from tallystick.accounts.websites import Website
from tallystick.events import Actor, ActorKind, acting
from tallystick.events.models import AppendOnly, Event
from tallystick.kit import clock

pytestmark = pytest.mark.django_db

CLERK = Actor(ActorKind.USER, id="7", label="staff", address="192.0.2.1")


def test_says_what_happened_to_whom_where_and_when(website: Website) -> None:
    with clock.use(clock.VirtualClock()) as time:
        event = events.record("website.renamed", website, actor=CLERK, change={"fields": ["name"]})
        now = time.now()
    event.refresh_from_db()
    assert (event.kind, event.subject_type, event.subject_id) == (
        "website.renamed",
        "accounts.website",
        str(website.pk),
    )
    assert (event.website, event.at, event.change) == (website, now, '{"fields":["name"]}')
    assert (event.actor_kind, event.actor_id, event.actor_label, event.address_shown) == (
        "user",
        "7",
        "staff",
        "192.0.2.1",
    )


def test_the_actor_is_who_acts(website: Website) -> None:
    assert events.record("a.b", website).actor_kind == ActorKind.SYSTEM
    with acting(CLERK), acting(Actor(ActorKind.PROVIDER, label="Xero")):
        assert events.record("a.b", website).actor_label == "Xero"
    assert events.current_actor() == events.SYSTEM


def test_what_else_can_be_said(website: Website) -> None:
    other = Website.objects.create(name="Other", domain="other.example")
    then = datetime(2026, 2, 3, tzinfo=UTC)
    event = events.record(
        "a.b", website, website=other, at=then, change={"paid": Decimal("1.50"), "at": then}
    )
    assert (event.website, event.at) == (other, then)
    assert event.change == '{"at":"2026-02-03T00:00:00+00:00","paid":"1.50"}'


def test_a_subject_without_a_website_is_nobodys_tenant() -> None:
    with acting(CLERK) as actor:
        from tallystick.people.models import User

        event = events.record("person.joined", User.objects.create_user("ada"), actor=actor)
    assert event.website is None


def test_stands_or_falls_with_what_caused_it(website: Website) -> None:
    with transaction.atomic():
        events.record("a.b", website)
        transaction.set_rollback(True)
    assert not Event.objects.everywhere().exists()


def test_tells_its_listeners_in_the_same_transaction(website: Website) -> None:
    heard: list[Event] = []

    def listen(event: Event, **_: object) -> None:
        heard.append(event)
        if event.kind == "a.refused":
            raise ValueError(event.kind)

    events.recorded.connect(listen)
    try:
        event = events.record("a.b", website)
        with pytest.raises(ValueError, match="refused"), transaction.atomic():
            events.record("a.refused", website)
    finally:
        events.recorded.disconnect(listen)
    assert heard[0] == event
    assert [each.kind for each in Event.objects.everywhere()] == ["a.b"]


def test_many_lines_are_written_by_one_statement(
    website: Website, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    heard: list[object] = []

    def listen(subject: object, **_: object) -> None:
        heard.append(subject)

    other = Website.objects.create(name="Other", domain="other.example")
    lines = [events.Line("a.1", website, change={"count": 1}), events.Line("a.2", other, website)]
    events.recorded.connect(listen)
    try:
        with django_assert_num_queries(1):
            events.record_all(lines)
    finally:
        events.recorded.disconnect(listen)
    assert heard == [website, other]
    found = Event.objects.everywhere().order_by("id").values_list("kind", "website", "change")
    assert list(found) == [("a.1", website.pk, '{"count":1}'), ("a.2", website.pk, "{}")]


def test_is_read_by_subject_newest_first(website: Website) -> None:
    other = Website.objects.create(name="Other", domain="other.example")
    for kind, subject in [("a.1", website), ("a.2", other), ("a.3", website)]:
        events.record(kind, subject)
    kinds = [event.kind for event in Event.objects.of_subject(website)]
    assert kinds == ["a.3", "a.1"]


def test_is_read_for_a_website_or_not_at_all(website: Website) -> None:
    with pytest.raises(NoTenant):
        list(Event.objects.all())


def test_is_never_changed(website: Website) -> None:
    event = events.record("a.b", website)
    with pytest.raises(AppendOnly):
        event.save()
    with pytest.raises(AppendOnly):
        event.delete()
    with pytest.raises(AppendOnly):
        Event.objects.of(website).update(kind="c.d")
    with pytest.raises(AppendOnly):
        Event.objects.of(website).delete()
    with pytest.raises(AppendOnly):
        Event.objects.bulk_update([event], ["kind"])
