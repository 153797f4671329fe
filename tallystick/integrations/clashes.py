"""What is found there under a remote id that another of our links holds: one of the two is a mistake,
and a person has to say which."""

from __future__ import annotations

from collections.abc import Sequence

from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.integrations.outgoing import settled
from tallystick.integrations.results import Result
from tallystick.kit import clock
from tallystick.ports.records import Kind
from tallystick.queue.rows import State


def refused(
    connection: Connection, kind: Kind, results: Sequence[Result]
) -> list[tuple[Link, Result]]:
    """Those of `results` that name another's counterpart, each as a link given up on. Written as they
    are, they would break a constraint, and end every turn from then on."""
    fresh = [result for result in results if result.is_new]
    if not fresh:
        return []
    links = Link.objects.filter(connection=connection, kind=kind.value)
    there = links.filter(remote_id__in={result.remote_id for result in fresh})
    owners = dict(there.values_list("remote_id", "pk"))
    clashing = [
        (result, owner)
        for result in fresh
        if (owner := owners.setdefault(result.remote_id, result.link_id)) != result.link_id
    ]
    known = links.in_bulk({pk for result, owner in clashing for pk in (result.link_id, owner)})
    return [
        (known[result.link_id], _given_up(known[result.link_id], result, known[owner], connection))
        for result, owner in clashing
    ]


def _given_up(link: Link, result: Result, owner: Link, connection: Connection) -> Result:
    """It keeps its attempt: retried, it is looked up before anything is made."""
    words = (
        f"{connection.provider.name} knows it as {result.remote_id}, which is the counterpart of "
        f"another one here: {owner.model} {owner.local_id}. See which of the two it is, then retry."
    )
    given_up = settled(link, State.DEAD, clock.now(), error=words, attempt_key=link.attempt_key)
    given_up.touched, given_up.attempts = result.touched, result.attempts
    given_up.label = result.label or given_up.label
    return given_up
