"""Whose a record there is, here: by a link, by our own key, by e-mail address; else a person says.

    link with this remote id -> matched
    our key, or our product's number or code -> proposed, certain
    exactly one account has the e-mail address, and exactly one active record there -> proposed
    anything else -> unmatched, with the candidates

Between two nothing is ever guessed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import Count
from django.db.models.functions import Lower

from tallystick.integrations import sync
from tallystick.integrations.links import Link
from tallystick.integrations.remote_records import RemoteRecord
from tallystick.kit.db.keysets import among
from tallystick.ports.records import Kind

if TYPE_CHECKING:
    from tallystick.integrations.connections import Connection

Match = RemoteRecord.Match
Object = tuple[str, str]
"""The label of a model, and the id as text."""

CERTAIN = {
    Kind.CUSTOMER.value: ("key",),
    Kind.PRODUCT.value: ("key", "local_id", "code"),
}
"""In this order: what an earlier one says is not doubted by a later."""
LIKELY = {
    Kind.CUSTOMER.value: ("local_id", "email"),
    Kind.PRODUCT.value: (),
}
_OPEN = (Match.PROPOSED, Match.UNMATCHED, Match.MATCHED)
_WORDS = {
    "key": "It bears our key.",
    "local_id": "It bears our number.",
    "code": "It has the same code.",
    "email": "It has the same e-mail address.",
}
BY_EMAIL = _WORDS["email"]
NOTHING = "Nothing here looks like it."


@dataclass(frozen=True, slots=True)
class Clues:
    """What a record there goes by: a value for each of key, local_id, code and email that it has."""

    remote_id: str
    kind: str
    values: Mapping[str, str]
    is_active: bool = True


@dataclass(slots=True)
class Known:
    """What is here: `links` by remote id; objects by what they go by (`by`, value); those that have
    a counterpart already; and how many active records there share an e-mail address."""

    links: Mapping[str, tuple[int, Object]] = field(default_factory=dict)
    objects: Mapping[tuple[str, str], Sequence[Object]] = field(default_factory=dict)
    taken: Collection[Object] = ()
    sharing: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`candidates` are for a person to choose among; of a proposal, the one."""

    match: Match
    reason: str = ""
    is_certain: bool = False
    link: int | None = None
    candidates: tuple[Object, ...] = ()


def judged(clues: Clues, known: Known) -> Verdict:
    """What to say of one record, from what is known. Pure."""
    if linked := known.links.get(clues.remote_id):
        return Verdict(Match.MATCHED, "It is linked.", True, linked[0], (linked[1],))
    for by in CERTAIN[clues.kind]:
        if found := _found(clues, known, by):
            return _alone(clues, known, found, _WORDS[by], is_certain=True)
    return _likely(clues, known)


def judge(connection: Connection, records: Sequence[RemoteRecord]) -> list[RemoteRecord]:
    """Say of `records` (of one kind) whose they are, unless that was decided; those that have changed
    are stored. A number of queries that does not grow with theirs."""
    open_ = [record for record in records if record.match in _OPEN]
    if not open_:
        return []
    known = look_up(connection, open_)
    changed = [record for record in open_ if _told(record, judged(clues_of(record), known))]
    # Of a first read nearly all are nobody's: said of them together, it takes a fraction of the time.
    of_nobody = Verdict(Match.UNMATCHED, NOTHING)
    nobodys = [record for record in changed if record.reason == NOTHING]
    if nobodys:
        same = RemoteRecord.objects.filter(pk__in=[record.pk for record in nobodys])
        same.update(**_values(of_nobody))
    others = [record for record in changed if record.reason != NOTHING]
    RemoteRecord.objects.bulk_update(others, list(_values(of_nobody)), batch_size=200)
    return changed


def clues_of(record: RemoteRecord) -> Clues:
    values = {
        "key": record.key,
        "local_id": record.local_hint,
        "code": record.code,
        "email": record.email.lower(),
    }
    held = {by: value for by, value in values.items() if value}
    return Clues(record.remote_id, record.kind, held, record.is_active)


def look_up(connection: Connection, records: Sequence[RemoteRecord]) -> Known:
    """What is known of what these records (of one kind) go by."""
    kind = records[0].kind
    clues = [clues_of(record) for record in records]
    objects: dict[tuple[str, str], list[Object]] = defaultdict(list)
    for by in (*CERTAIN[kind], *LIKELY[kind]):
        values = {each.values[by] for each in clues if by in each.values}
        for told in sync.registered() if values else ():
            if told.kind == kind:
                for value, ids in told.lookup(by, values, connection.website_id).items():
                    objects[by, value] += [(told.label, pk) for pk in ids]
    every = {obj for found in objects.values() for obj in found}
    return Known(
        links=_links(connection, kind, [each.remote_id for each in clues]),
        objects=objects,
        taken=_taken(connection, every),
        sharing=_sharing(connection, kind, clues),
    )


def _found(clues: Clues, known: Known, by: str) -> tuple[Object, ...]:
    return tuple(known.objects.get((by, clues.values.get(by, "")), ()))


def _likely(clues: Clues, known: Known) -> Verdict:
    reasons = [by for by in LIKELY[clues.kind] if _found(clues, known, by)]
    found = tuple(dict.fromkeys(obj for by in reasons for obj in _found(clues, known, by)))
    if not found:
        return Verdict(Match.UNMATCHED, NOTHING)
    sharing = known.sharing.get(clues.values.get("email", ""), 0)
    if sharing > 1 and "email" in reasons:
        words = f"{sharing} records there have this e-mail address."
        return Verdict(Match.UNMATCHED, words, candidates=found)
    return _alone(clues, known, found, _WORDS[reasons[-1]], is_certain=False)


def _alone(
    clues: Clues, known: Known, found: Sequence[Object], words: str, *, is_certain: bool
) -> Verdict:
    """A proposal where there is exactly one, and it is free."""
    free = tuple(obj for obj in found if obj not in known.taken)
    if len(found) > 1:
        return Verdict(Match.UNMATCHED, f"{len(found)} objects here fit.", candidates=free)
    if not free:
        return Verdict(Match.UNMATCHED, f"{words} But that one has another counterpart there.")
    if not clues.is_active and not is_certain:
        return Verdict(Match.UNMATCHED, f"{words} But it is archived there.", candidates=free)
    return Verdict(Match.PROPOSED, words, is_certain, candidates=free)


def _told(record: RemoteRecord, verdict: Verdict) -> bool:
    """Write the verdict on the record; whether that changed it."""
    if record.match == Match.MATCHED == verdict.match and record.link_id == verdict.link:
        return False  # as a person chose it
    values = _values(verdict)
    differs = any(getattr(record, name) != value for name, value in values.items())
    for name, value in values.items():
        setattr(record, name, value)
    return differs


def _values(verdict: Verdict) -> dict[str, Any]:
    """The columns that say it."""
    is_sure = verdict.match in {Match.PROPOSED, Match.MATCHED}
    model, local_id = verdict.candidates[0] if is_sure else ("", "")
    return {
        "match": verdict.match.value,
        "reason": verdict.reason,
        "is_certain": verdict.is_certain,
        "link_id": verdict.link,
        "model": model,
        "local_id": local_id,
    }


def _links(
    connection: Connection, kind: str, remote_ids: Sequence[str]
) -> dict[str, tuple[int, Object]]:
    rows = Link.objects.filter(connection=connection, kind=kind, remote_id__in=remote_ids)
    found = rows.values_list("remote_id", "pk", "model", "local_id")
    return {remote_id: (pk, (model, local_id)) for remote_id, pk, model, local_id in found}


def _taken(connection: Connection, objects: Iterable[Object]) -> set[Object]:
    by_model: dict[str, list[str]] = defaultdict(list)
    for model, local_id in objects:
        by_model[model].append(local_id)
    taken: set[Object] = set()
    for model, ids in by_model.items():
        linked = Link.objects.filter(connection=connection, model=model, local_id__in=ids)
        taken |= {
            (model, pk) for pk in linked.exclude(remote_id="").values_list("local_id", flat=True)
        }
    return taken


def _sharing(connection: Connection, kind: str, clues: Sequence[Clues]) -> Counter[str]:
    """E-mail address -> how many active records there have it."""
    emails = {each.values["email"] for each in clues if "email" in each.values}
    if not emails:
        return Counter()
    rows = RemoteRecord.objects.filter(connection=connection, kind=kind, is_active=True)
    rows = rows.filter(among("email", emails)).order_by().annotate(said=Lower("email"))
    counts: Counter[str] = Counter()
    for said, count in rows.values_list("said").annotate(count=Count("pk")):
        counts[said] += count
    return counts
