"""Two of ours under one remote id: told of on the one that came second, and nothing else stops."""

from __future__ import annotations

import pytest
from django.db import IntegrityError

from tallystick.integrations import turns
from tallystick.integrations.links import Link
from tallystick.integrations.push import Answer, Batch, PushRun
from tallystick.integrations.tests.conftest import Site
from tallystick.integrations.work import serve_one
from tallystick.ports.errors import Uncertain
from tallystick.ports.records import Kind, Remote
from tallystick.queue.rows import State


def answering(monkeypatch: pytest.MonkeyPatch, *ids: str) -> None:
    """Each record that is sent is known there as the next of `ids`."""
    left = iter(ids)

    def call(run: PushRun, batch: Batch) -> Answer:
        del run
        return [Remote(next(left)) for _ in batch.items]

    monkeypatch.setattr(PushRun, "_call", call)


def by_state(site: Site) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for link in sorted(site.links(Kind.PRODUCT), key=lambda link: link.pk):
        found.setdefault(link.state, []).append(link.remote_id)
    return found


def test_the_second_of_one_batch_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "ABC":
        site.product(name)
    answering(monkeypatch, "same", "same", "other")
    site.serve()
    assert by_state(site) == {State.DONE: ["same", "other"], State.DEAD: [""]}
    first, second, _ = sorted(site.links(Kind.PRODUCT), key=lambda link: link.pk)
    assert "Xero knows it as same, which is the counterpart of another" in second.last_error
    assert f"{first.model} {first.local_id}" in second.last_error
    assert site.connection.sync_status == "PARTIAL"


def test_what_is_another_ones_already_is_given_up(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.product("A")
    answering(monkeypatch, "same", "same")
    site.serve()
    site.product("B")
    site.serve()
    assert by_state(site) == {State.DONE: ["same"], State.DEAD: [""]}


def test_so_is_what_a_lost_answer_turns_out_to_be(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = site.product("A")
    monkeypatch.setattr(PushRun, "_call", lambda run, batch: Uncertain("Nothing came."))
    site.serve()
    other = Link.objects.get(local_id=str(product.pk))
    held = Link.objects.create(
        connection=site.connection, kind=other.kind, model=other.model, local_id="0", key="p-0",
        touched=other.touched, remote_id="same", state=State.DONE,
    )  # fmt: skip
    monkeypatch.setattr(PushRun, "_find", lambda run, items: [Remote("same") for _ in items])
    Link.objects.filter(pk=other.pk).revive()
    site.serve()
    other.refresh_from_db()
    assert (other.state, other.remote_id) == (State.DEAD, "")
    assert f"{held.model} {held.local_id}" in other.last_error
    Link.objects.filter(pk=held.pk).delete()
    Link.objects.filter(pk=other.pk).revive()
    site.serve()
    other.refresh_from_db()
    assert (other.state, other.remote_id) == (State.DONE, "same")


def test_what_breaks_at_the_database_is_told_on_the_connection(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(results: object) -> None:
        raise IntegrityError("UNIQUE constraint failed")

    site.product("A")
    monkeypatch.setattr(turns, "write_results", breaks)
    with pytest.raises(IntegrityError):
        serve_one(site.connection, lambda: False)
    site.connection.refresh_from_db()
    assert site.connection.sync_error == "An error of our own: IntegrityError."
