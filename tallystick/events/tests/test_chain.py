from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick import events
from tallystick.accounts.websites import Website
from tallystick.events import chain, hashes, verify
from tallystick.events.chain import HeadMissing
from tallystick.events.models import Chain, Event
from tallystick.events.verify import Fault, Verification
from tallystick.kit import clock, signing
from tallystick.queue.registry import Budget, named

pytestmark = pytest.mark.django_db

SEALED = 9
TEXTS = ["kind", "subject_type", "subject_id", "actor_kind", "actor_id", "actor_label", "address"]
ALTERATIONS = [*TEXTS, "change", "at", "website_id", "row_hash", "seal_hash"]


def record(website: Website, count: int) -> list[Event]:
    return [events.record("a.b", website, change={"number": n}) for n in range(count)]


def faults() -> list[tuple[Fault, int | None]]:
    return [(finding.fault, finding.seq) for finding in Verification().findings()]


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_seals_all_in_batches(website: Website) -> None:
    record(website, 7)
    with mock.patch.object(chain, "BATCH", 3):
        assert chain.seal(3) == 3
        assert named("journal").drain(Budget()) == 4
    assert not chain.unsealed().exists()
    assert faults() == []
    assert Chain.objects.get().seq == 7


def test_what_is_committed_late_is_sealed_after(website: Website, unguarded: None) -> None:
    early, late = record(website, 2)
    chain.seal()
    sql("UPDATE events_event SET id = 0, seal_seq = NULL WHERE id = %s", late.pk)
    sql("UPDATE events_chain SET seq = 1, hash = %s, mac = %s", *_head_of(early))
    chain.seal()
    assert list(Event.objects.everywhere().order_by("seal_seq").values_list("id", flat=True)) == [
        early.pk,
        0,
    ]
    assert faults() == []


def _head_of(event: Event) -> tuple[str, str]:
    event.refresh_from_db()
    return event.seal_hash, hashes.head_mac(1, event.seal_hash)


def test_an_empty_journal_is_whole() -> None:
    assert faults() == []
    assert chain.seal() == 0
    assert faults() == []


def test_tells_what_is_wrong_and_where(website: Website, unguarded: None) -> None:
    record(website, SEALED)
    chain.seal()
    sql("UPDATE events_event SET kind = 'x' WHERE seal_seq = 2")
    sql("DELETE FROM events_event WHERE seal_seq IN (4, 5)")
    sql("UPDATE events_event SET seal_seq = -1 WHERE seal_seq = 7")
    sql("UPDATE events_event SET seal_seq = 7 WHERE seal_seq = 8")
    sql("UPDATE events_event SET seal_seq = 8 WHERE seal_seq = -1")
    sql("DELETE FROM events_event WHERE seal_seq = 9")
    found = faults()
    assert found[0] == (Fault.ALTERED, 2)
    assert (Fault.MISSING, 4) in found
    assert (Fault.REORDERED, 7) in found
    assert found[-1] == (Fault.TRUNCATED, 9)


def test_a_cut_with_the_head_set_back_is_seen(website: Website, unguarded: None) -> None:
    record(website, 3)
    chain.seal()
    second = Event.objects.everywhere().get(seal_seq=2)
    sql("DELETE FROM events_event WHERE seal_seq = 3")
    sql("UPDATE events_chain SET seq = 2, hash = %s", second.seal_hash)
    assert faults() == [(Fault.TRUNCATED, 2)]
    sql("DELETE FROM events_chain")
    assert faults() == [(Fault.MISSING, None)]


def test_an_emptied_journal_is_not_a_new_one(website: Website, unguarded: None) -> None:
    record(website, 3)
    chain.seal()
    sql("DELETE FROM events_event")
    sql("DELETE FROM events_chain")
    assert "missing: head: The chain's head is missing." in _complaint()
    record(website, 1)
    with pytest.raises(HeadMissing):
        chain.seal()
    assert faults() == [(Fault.MISSING, None)]


def test_a_journal_without_its_head_is_read_all_the_same(website: Website, unguarded: None) -> None:
    record(website, 3)
    chain.seal()
    sql("DELETE FROM events_chain")
    sql("UPDATE events_event SET kind = 'x' WHERE seal_seq = 2")
    assert faults() == [(Fault.MISSING, None), (Fault.ALTERED, 2)]


UNREADABLE = {
    "sqlite": [
        ("at", "'notadate'"),
        ("at", "'2020-99-99'"),
        ("at", "7"),
        ("kind", "X'00FF'"),
        ("kind", "CAST(X'FF' AS TEXT)"),
        ("website_id", "'x'"),
        ("row_hash", "X'FF'"),
    ],
    "postgresql": [("at", "'infinity'"), ("at", "'12026-01-01'"), ("at", "'0044-03-15 BC'")],
}


def test_what_cannot_be_read_is_altered_and_the_rest_is_read(
    website: Website, unguarded: None
) -> None:
    record(website, 5)
    chain.seal()
    sql("UPDATE events_event SET kind = 'x' WHERE seal_seq = 4")
    for column, value in UNREADABLE[connection.vendor]:
        with _undone(), mock.patch.object(verify, "PAGE", 3):
            sql(f"UPDATE events_event SET {column} = {value} WHERE seal_seq = 2")  # noqa: S608
            assert faults() == [(Fault.ALTERED, 2), (Fault.ALTERED, 4)]


def test_an_unreadable_head_is_none(website: Website, unguarded: None) -> None:
    record(website, 2)
    chain.seal()
    if connection.vendor == "sqlite":
        sql("UPDATE events_chain SET seq = 'x', hash = X'FF'")
        assert faults() == [(Fault.MISSING, None)]
    sql("UPDATE events_chain SET seq = 2, hash = 'x', mac = 'x'")
    assert faults() == [(Fault.TRUNCATED, 2)]


def test_what_someone_else_appends_is_seen(website: Website, unguarded: None) -> None:
    record(website, 2)
    chain.seal(1)
    sql(
        "UPDATE events_event SET seal_seq = 2, row_hash = 'x', seal_hash = 'x' WHERE seal_seq IS NULL"
    )
    assert faults() == [(Fault.ADDED, 2)]


def test_what_waits_too_long_for_its_seal_is_told(website: Website) -> None:
    with clock.use(clock.VirtualClock()) as time:
        record(website, 1)
        time.advance(timedelta(minutes=10))
        assert faults() == []
        time.advance(timedelta(seconds=1))
        assert faults() == [(Fault.UNSEALED, None)]
        chain.seal()
        assert faults() == []


def alter(place: int, column: str, how: int) -> None:
    values = {"at": "2020-01-01 00:00:00+00:00", "website_id": None, "change": '{"number":99}'}
    value = values.get(column, f"forged {how}")
    sql(f"UPDATE events_event SET {column} = %s WHERE seal_seq = %s", value, place)  # noqa: S608


def delete(place: int, column: str, how: int) -> None:
    sql("DELETE FROM events_event WHERE seal_seq = %s", place)


def delete_and_close_the_gap(place: int, column: str, how: int) -> None:
    delete(place, column, how)
    sql("UPDATE events_event SET seal_seq = -seal_seq WHERE seal_seq > %s", place)
    sql("UPDATE events_event SET seal_seq = -seal_seq - 1 WHERE seal_seq < 0")


def swap(place: int, column: str, how: int) -> None:
    """The places of two, with or without their hashes."""
    other = (place + how) % SEALED + 1
    if other == place:
        other = place % SEALED + 1
    names = ["seal_seq", "row_hash", "seal_hash"] if how % 2 else ["seal_seq"]
    rows: dict[int | None, dict[str, Any]] = {
        seal["seal_seq"]: dict(seal)
        for seal in Event.objects.everywhere()
        .filter(seal_seq__in=[place, other])
        .values("id", "seal_seq", "row_hash", "seal_hash")
    }
    sql("UPDATE events_event SET seal_seq = -1 WHERE seal_seq = %s", place)
    for mine, theirs in ((rows[other], rows[place]), (rows[place], rows[other])):
        for name in names:
            sql(f"UPDATE events_event SET {name} = %s WHERE id = %s", theirs[name], mine["id"])  # noqa: S608


FORGERIES = [alter, delete, delete_and_close_the_gap, swap]


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    forge=st.sampled_from(FORGERIES),
    place=st.integers(1, SEALED),
    column=st.sampled_from(ALTERATIONS),
    how=st.integers(0, SEALED - 1),
)
def test_no_single_forgery_stays_unseen(
    website: Website,
    unguarded: None,
    forge: Callable[[int, str, int], None],
    place: int,
    column: str,
    how: int,
) -> None:
    if not Event.objects.everywhere().exists():
        record(website, SEALED)
        chain.seal()
    assert faults() == []
    with _undone():
        forge(place, column, how)
        assert faults() != []


def test_without_the_key_in_the_hash_a_forger_could_make_it_fit(
    website: Website, unguarded: None
) -> None:
    """The control: a chain of plain hashes can be computed anew by anyone, and then shows nothing;
    ours cannot, for want of the key."""
    record(website, 3)
    chain.seal()
    sql("UPDATE events_event SET kind = 'forged' WHERE seal_seq = 2")
    with mock.patch("django.conf.settings.JOURNAL_KEY", "the forger's guess"):
        _seal_anew()
        assert faults() == []
    assert faults() != []


def _seal_anew() -> None:
    sql("UPDATE events_event SET seal_seq = NULL, row_hash = '', seal_hash = ''")
    sql("DELETE FROM events_chain")
    chain.begin()
    chain.seal()


def test_without_looking_at_the_hashes_an_alteration_stays_unseen(
    website: Website, unguarded: None
) -> None:
    """The control: it is the comparison that sees."""
    record(website, 3)
    chain.seal()
    sql("UPDATE events_event SET kind = 'forged' WHERE seal_seq = 2")
    with mock.patch.object(signing, "same", return_value=True):
        assert faults() == []


def test_reads_page_by_page(website: Website) -> None:
    record(website, 7)
    chain.seal()
    with mock.patch.object(verify, "PAGE", 2):
        assert faults() == []


def test_the_command_tells_people_and_programs(website: Website, unguarded: None) -> None:
    record(website, 3)
    chain.seal()
    said = io.StringIO()
    call_command("verify_journal", stdout=said)
    assert said.getvalue() == "3 sealed events, no faults\n"
    sql("UPDATE events_event SET kind = 'x' WHERE seal_seq = 2")
    assert "altered: #2 event" in _complaint()
    lines = [json.loads(line) for line in _complaint("--json").splitlines()]
    assert lines[0]["fault"] == "altered"
    assert lines[0]["seq"] == 2
    assert lines[-1] == {"sealed": 3, "faults": 1}


def _complaint(*options: str) -> str:
    said = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_journal", *options, stdout=said)
    assert ended.value.code == 1
    return said.getvalue()


@pytest.mark.django_db(transaction=True)
def test_two_sealers_seal_each_event_once() -> None:
    site = Website.objects.create(name="Ours", domain="ours.example")
    record(site, 60)

    def seal_all() -> None:
        while chain.seal(5):
            pass
        connection.close()

    sealers = [threading.Thread(target=seal_all) for _ in range(4)]
    for sealer in sealers:
        sealer.start()
    for sealer in sealers:
        sealer.join(30)
    assert Chain.objects.get().seq == 60
    assert faults() == []


@contextmanager
def _undone() -> Iterator[None]:
    """What is done in the block is undone at its end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
