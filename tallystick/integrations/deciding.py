"""What is decided about records there: accept, choose by hand, ignore. A worker carries it out; see
`applying`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import models, transaction

from tallystick import queue
from tallystick.events import current_actor, record
from tallystick.integrations import arrivals, matching, sync
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.integrations.remote_records import RemoteRecord
from tallystick.kit import clock
from tallystick.ports.records import RemoteCustomer

Match, Choice = RemoteRecord.Match, RemoteRecord.Choice
PAGE = 500
Rows = models.QuerySet[RemoteRecord]


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides, in words (empty: whoever acts), and whether what is there goes before ours once."""

    by: str = ""
    keep_remote: bool = False

    def values(self) -> dict[str, object]:
        actor = current_actor()
        said = self.by or (f"{actor.kind}:{actor.id}" if actor.id else actor.label)
        return {"decided_by": said[:150], "decided_at": clock.now()}

    def accept(self, records: Sequence[RemoteRecord]) -> int:
        """Take the proposals among `records`, which have just been judged."""
        ids = [each.pk for each in records if each.match == Match.PROPOSED]
        # As it is now: in between, somebody may have said that it is none of ours.
        proposed = Rows(RemoteRecord).filter(pk__in=ids, match=Match.PROPOSED)
        return self._accept(proposed, choice=Choice.LINK)

    def link(self, one: RemoteRecord, obj: models.Model) -> None:
        """Say by hand that `one` is `obj`."""
        chosen = Rows(RemoteRecord).filter(pk=one.pk).exclude(match=Match.MATCHED)
        self._accept(
            chosen,
            choice=Choice.LINK,
            model=obj._meta.label,
            local_id=str(obj.pk),
            reason="Chosen by hand.",
        )

    def make(self, records: Sequence[RemoteRecord], choice: str = "") -> int:
        """Have new ones made here of those of `records` that nothing here fits, as `choice` says or
        else as each reads."""
        count = 0
        for each in records:
            if each.match in {Match.UNMATCHED, Match.PROPOSED, Match.IGNORED}:
                chosen = Rows(RemoteRecord).filter(pk=each.pk).exclude(match=Match.MATCHED)
                made = {"model": "", "local_id": "", "reason": "To be made here."}
                count += self._accept(chosen, choice=choice or choice_for(each), **made)
        return count

    def ignore(self, rows: Rows) -> int:
        """They are none of ours; not asked about again."""
        open_ = rows.filter(match__in=[Match.PROPOSED, Match.UNMATCHED])
        return _decide(open_, match=Match.IGNORED, **self.values())

    def ask_again(self, rows: Rows) -> int:
        """What was ignored, or accepted and not carried out yet, is open again."""
        closed = rows.filter(match__in=[Match.IGNORED, Match.ACCEPTED])
        return _decide(closed, match=Match.UNMATCHED, choice="", decided_by="", decided_at=None)

    def _accept(self, rows: Rows, **values: object) -> int:
        return _decide(
            rows, match=Match.ACCEPTED, keep_remote=self.keep_remote, **self.values(), **values
        )


def _decide(rows: Rows, **values: object) -> int:
    """What waited for it may go on."""
    connections = list(rows.order_by().values_list("connection", flat=True).distinct())
    count = rows.update(**values)
    if count:
        Link.objects.filter(connection__in=connections).release()
        queue.wake("connections")
    return count


def choice_for(one: RemoteRecord) -> str:
    """What a new object here of this record is, as it reads."""
    found = one.found
    if not isinstance(found, RemoteCustomer):
        return Choice.PRODUCT
    return Choice.PERSON if arrivals.is_person(found) else Choice.ORGANISATION


def pages(rows: Rows) -> Iterator[tuple[Connection, list[RemoteRecord]]]:
    """`rows` by connection and kind, page by page, each record judged anew."""
    groups = rows.order_by("connection", "kind").values_list("connection", "kind").distinct()
    for connection_id, kind in list(groups):
        connection = Connection.objects.everywhere().get(pk=connection_id)
        same, last = rows.filter(connection=connection_id, kind=kind).order_by("pk"), 0
        while page := list(same.filter(pk__gt=last)[:PAGE]):
            last = page[-1].pk
            with transaction.atomic():
                matching.judge(connection, page)
                yield connection, page


def journal(connection: Connection, what: str, count: int) -> None:
    """One line for what was decided of many."""
    if count:
        record(f"remote_records.{what}", connection, change={"count": count})


def object_of(one: RemoteRecord) -> models.Model | None:
    """The object here that it is, or is proposed to be."""
    told = sync.by_label().get(one.model) if one.local_id else None
    return told.load([one.local_id]).get(one.local_id) if told else None
