"""Applying: what was accepted about records there becomes links, before anything is sent.

It is done by who holds the connection's lease: nobody sends a new client meanwhile for what is about
to get its counterpart. A page is one transaction; a run that was killed goes on with what is left.
"""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db import Error as DatabaseError
from django.db import models, transaction
from django.db.models import Q

from tallystick.accounts.models import Account
from tallystick.events import record
from tallystick.integrations import arrivals, sync
from tallystick.integrations.links import Link
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.remote_records import RemoteRecord
from tallystick.integrations.sync import CannotApply
from tallystick.integrations.turns import Progress, Turn
from tallystick.kit import clock
from tallystick.ports.records import RemoteCustomer
from tallystick.queue.rows import State

logger = logging.getLogger(__name__)

Match, Choice = RemoteRecord.Match, RemoteRecord.Choice
PAGE = 200
ALL = "import"
"""What its log calls it."""
DECIDED = ("match", "reason", "link", "model", "local_id", "choice", "is_certain")
Place = tuple[str, str]


class Applying:
    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.connection = turn.connection
        self.progress = Progress(ALL)
        self.log: SyncLog

    def run(self) -> None:
        last = 0
        if not self._accepted(last).exists():
            return
        with self.turn.logged(SyncLog.Direction.PULL, ALL) as self.log:
            while page := list(self._accepted(last).order_by("pk")[:PAGE]):
                last = page[-1].pk
                self.turn.beat()
                with self.connection.guard():
                    self._apply(page)
                    Link.objects.filter(connection=self.connection).release()
                self.turn.watcher(self.progress)

    def _accepted(self, after: int) -> models.QuerySet[RemoteRecord]:
        return RemoteRecord.objects.filter(
            connection=self.connection, match=Match.ACCEPTED, pk__gt=after
        )

    def _apply(self, page: Sequence[RemoteRecord]) -> None:
        linked = self._by_remote(page)
        bearers = self._bearers(page)
        for each in page:
            if each.choice != Choice.LINK and (each.kind, each.remote_id) not in linked:
                self._make(each, bearers.get((each.kind, each.key), ()))
        links, objects = self._by_object(page), _objects(page)
        for each in page:
            if each.match != Match.ACCEPTED:
                continue
            if known := linked.get((each.kind, each.remote_id)):
                self._matched(each, known)
                continue
            place = (each.model, each.local_id)
            try:
                _check_key(each, bearers.get((each.kind, each.key), ()), place)
                with transaction.atomic():
                    link = self._linked(each, objects.get(place), links.get(place))
            except Exception as error:  # noqa: BLE001 - see `_refused`
                self._refused(each, error)
                continue
            links[place] = linked[each.kind, each.remote_id] = link
            self._matched(each, link)
        RemoteRecord.objects.bulk_update(page, DECIDED, batch_size=PAGE)

    def _by_remote(self, page: Sequence[RemoteRecord]) -> dict[Place, Link]:
        ids = [each.remote_id for each in page]
        rows = Link.objects.filter(connection=self.connection, remote_id__in=ids)
        return {(link.kind, link.remote_id): link for link in rows}

    def _bearers(self, page: Sequence[RemoteRecord]) -> dict[Place, list[Place]]:
        """The objects here whose own keys the records bear, by kind and key."""
        keys: dict[str, set[str]] = defaultdict(set)
        for each in page:
            if each.key:
                keys[each.kind].add(each.key)
        bearers: dict[Place, list[Place]] = defaultdict(list)
        for told in sync.registered():
            if borne := keys.get(told.kind):
                found = told.lookup("key", borne, self.connection.website_id)
                for key, ids in found.items():
                    bearers[told.kind.value, key] += [(told.label, pk) for pk in ids]
        return bearers

    def _by_object(self, page: Sequence[RemoteRecord]) -> dict[Place, Link]:
        chosen = Q(pk__in=())
        for model, ids in _by_model(page).items():
            chosen |= Q(model=model, local_id__in=ids)
        rows = Link.objects.filter(chosen, connection=self.connection)
        return {(link.model, link.local_id): link for link in rows}

    def _linked(self, each: RemoteRecord, obj: models.Model | None, link: Link | None) -> Link:
        """The link of `obj` with the record."""
        told = sync.by_label().get(each.model)
        if obj is None or told is None or told.website_id(obj) != self.connection.website_id:
            raise CannotApply("The chosen one is not here any more.")
        if link and link.remote_id:
            raise CannotApply("The chosen one has another counterpart there.")
        if link and link.attempt_key:
            raise CannotApply(
                "The chosen one is being sent there. Choose again when that is known."
            )
        if each.keep_remote:
            found = each.found
            if isinstance(obj, Account) and isinstance(found, RemoteCustomer):
                found = arrivals.without_manager(obj, found)
            told.take(obj, found)
            # Saving it made a link, if there was none.
            link = Link.objects.filter(
                connection=self.connection, model=told.label, local_id=str(obj.pk)
            ).first()
        return self._tied(each, told, obj, link)

    def _tied(
        self, each: RemoteRecord, told: sync.ModelSync, obj: models.Model, link: Link | None
    ) -> Link:
        """Ours goes there next, and brings our key."""
        link = link or Link(connection=self.connection, kind=each.kind, model=told.label)
        link.local_id, link.key = str(obj.pk), told.key(obj)
        link.remote_id, link.remote_version, link.remote_url = (
            each.remote_id,
            each.version,
            each.url,
        )
        link.fingerprint, link.touched, link.last_error = "", uuid.uuid4(), ""
        link.state, link.due_at, link.attempts = State.DUE, clock.now(), 0
        link.save()
        record(
            "link.matched",
            link,
            website=self.connection.website,
            change={"kind": each.kind, "remote_id": each.remote_id, "by": each.decided_by},
        )
        return link

    def _make(self, each: RemoteRecord, bearers: Sequence[Place]) -> None:
        told = next(told for told in sync.registered() if told.kind == each.kind)
        try:
            _check_key(each, bearers)
            with transaction.atomic():
                obj = told.make(each.found, self.connection.website, each.choice)
        except Exception as error:  # noqa: BLE001 - see `_refused`
            self._refused(each, error)
            return
        each.model, each.local_id, each.choice = told.label, str(obj.pk), Choice.LINK
        each.keep_remote = False

    def _matched(self, each: RemoteRecord, link: Link) -> None:
        each.match, each.link, each.is_certain = Match.MATCHED, link, True
        each.model, each.local_id = link.model, link.local_id
        self.progress.done += 1
        self.log.synced_records += 1

    def _refused(self, each: RemoteRecord, error: Exception) -> None:
        """What fails for one record is told of it alone: it must not keep the connection from all the
        others. The database's errors are raised again."""
        why = str(error)
        if isinstance(error, DatabaseError):
            raise error
        if not isinstance(error, CannotApply):
            logger.error("%s %s: it could not be applied", each.kind, each.pk, exc_info=error)
            why = f"It could not be taken over, an error of our own: {type(error).__name__}."
        each.match, each.reason, each.choice = Match.UNMATCHED, why[:300], ""
        each.model, each.local_id = "", ""
        self.progress.failed += 1
        self.log.failed(f"{each.kind} {each.remote_id}", why)


def _check_key(each: RemoteRecord, bearers: Sequence[Place], place: Place = ("", "")) -> None:
    """Raises `CannotApply` where the record was sent there for another than the one at `place`: ours
    would overwrite it, and the other would find it again by its key."""
    others = [f"{model} {pk}" for model, pk in bearers if (model, pk) != place]
    if others:
        raise CannotApply(f"It bears the key of {', '.join(others)}: link it to that one.")


def _by_model(page: Sequence[RemoteRecord]) -> dict[str, list[str]]:
    by_model: dict[str, list[str]] = defaultdict(list)
    for each in page:
        if each.local_id:
            by_model[each.model].append(each.local_id)
    return by_model


def _objects(page: Sequence[RemoteRecord]) -> dict[Place, Any]:
    found, known = {}, sync.by_label()
    for label, ids in _by_model(page).items():
        if told := known.get(label):
            for pk, obj in told.load(ids).items():
                found[label, pk] = obj
    return found
