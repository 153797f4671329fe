"""What happened to an object outside, newest first: the journal's events, and the runs that name it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from tallystick.events.models import Event
from tallystick.integrations.links import Link
from tallystick.integrations.logs import SyncLog

if TYPE_CHECKING:
    from tallystick.accounts.standing import Person

NEWEST = 20
_RUNS_LOOKED_AT = 200
"""Most runs are of others: so many of the newest are looked through for what concerns these."""


@dataclass(frozen=True, slots=True)
class Entry:
    at: datetime
    what: str
    words: str
    url: str


def history_of(objects: Sequence[models.Model], links: Sequence[Link], user: Person) -> list[Entry]:
    """The newest of what `user` may see of `objects` and their `links`: two queries."""
    entries = [*_events([*objects, *links], user), *_runs(objects, links)]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:NEWEST]


def more_of(objects: Sequence[models.Model], links: Sequence[Link]) -> list[tuple[str, str]]:
    """Where all of it is: what the list is of, and its address."""
    journal, runs = reverse("admin:events_event_changelist"), _runs_address()
    found = []
    for obj in [*objects, *links]:
        name = obj.connection if isinstance(obj, Link) else obj
        about = {"q": f"{obj._meta.label_lower} {obj.pk}"}
        found.append((_("Journal of %(what)s") % {"what": name}, f"{journal}?{urlencode(about)}"))
    for link in {(link.connection_id, link.kind): link for link in links}.values():
        of_kind = {"connection__id__exact": str(link.connection_id), "sync_type": link.kind}
        found.append(
            (_("Runs of %(what)s") % {"what": link.connection}, f"{runs}?{urlencode(of_kind)}")
        )
    return found


def _events(subjects: Sequence[models.Model], user: Person) -> Iterable[Entry]:
    ids: dict[str, list[str]] = defaultdict(list)
    for subject in subjects:
        ids[subject._meta.label_lower].append(str(subject.pk))
    about = Q(pk__in=[])
    for label, same in ids.items():
        about |= Q(subject_type=label, subject_id__in=same)
    for event in Event.objects.visible_to(user).filter(about).order_by("-id")[:NEWEST]:
        by = " ".join(filter(None, [event.actor_label or event.actor_kind, event.actor_id]))
        url = reverse("admin:events_event_change", args=[event.pk])
        yield Entry(event.at, event.kind, by, url)


def _runs(objects: Sequence[models.Model], links: Sequence[Link]) -> Iterable[Entry]:
    at = Q(pk__in=[])
    for connection_id, kind in {(link.connection_id, link.kind) for link in links}:
        at |= Q(connection=connection_id, sync_type=kind)
    names = _names(objects, links)
    newest = SyncLog.objects.filter(at).order_by("-created_at", "-id")[:_RUNS_LOOKED_AT]
    for run in newest if links else ():
        words = [said for said in [*run.errors, *run.notes] if _label(said) in names]
        if words or any(_tried_in(run, link) for link in links):
            what = f"{run.get_direction_display()} {run.sync_type}: {run.get_status_display()}"
            url = reverse("admin:integrations_synclog_change", args=[run.pk])
            yield Entry(run.created_at, what, " ".join(words) or run.message, url)


def _names(objects: Sequence[models.Model], links: Sequence[Link]) -> set[str]:
    """What the errors of runs call them: see `Record.label`."""
    said = {str(getattr(obj, name, "")) for obj in objects for name in ("code", "number")}
    return {link.key for link in links} | said - {""}


def _label(error: str) -> str:
    return error.partition(": ")[0].partition(" ")[2]


def _tried_in(run: SyncLog, link: Link) -> bool:
    if link.attempted_at is None or run.duration_ms is None:
        return False
    if (run.connection_id, run.sync_type) != (link.connection_id, link.kind):
        return False
    lasted = timedelta(milliseconds=run.duration_ms + 1)
    return run.created_at <= link.attempted_at <= run.created_at + lasted


def _runs_address() -> str:
    return reverse("admin:integrations_synclog_changelist")
