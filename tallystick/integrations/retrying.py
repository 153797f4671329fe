"""What a person makes due again, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count
from django.utils.translation import ngettext

from tallystick import queue
from tallystick.events import Line, record_all
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import LinkQuerySet
from tallystick.queue.rows import State

JOURNALLED = 100


@dataclass(frozen=True, slots=True)
class Retried:
    """Links that are due now, those that were in step and left, objects without any link."""

    due: int
    in_step: int = 0
    without: int = 0

    def in_words(self) -> str:
        said = [
            ngettext("%(count)d link is due now.", "%(count)d links are due now.", self.due)
            % {"count": self.due}
        ]
        if self.in_step:
            words = ngettext(
                "%(count)d was in step and was left.",
                "%(count)d were in step and were left.",
                self.in_step,
            )
            said.append(words % {"count": self.in_step})
        if self.without:
            words = ngettext(
                "%(count)d has no connection to be sent to.",
                "%(count)d have no connection to be sent to.",
                self.without,
            )
            said.append(words % {"count": self.without})
        return " ".join(said)


def retry(links: LinkQuerySet, *, force: bool = False) -> Retried:
    """Make `links` due now; with `force` also those in step, to be sent whatever they say."""
    with transaction.atomic():
        chosen = links if force else links.exclude(state=State.DONE)
        left = 0 if force else links.filter(state=State.DONE).count()
        _journal(chosen, force=force)
        due = links.revive(force=force)
    queue.wake("connections")
    return Retried(due, left)


def _journal(chosen: LinkQuerySet, *, force: bool) -> None:
    """A line for each link; for more than a page of them one for each connection."""
    few = list(chosen.select_related("connection__website").order_by("pk")[: JOURNALLED + 1])
    if len(few) <= JOURNALLED:
        record_all(
            [Line("link.retried", link, link.connection.website, {"force": force}) for link in few]
        )
        return
    counts = dict(chosen.order_by().values_list("connection").annotate(many=Count("pk")))
    found = Connection.objects.everywhere().filter(pk__in=counts).select_related("website")
    record_all(
        [
            Line("links.retried", each, each.website, {"count": counts[each.pk], "force": force})
            for each in found
        ]
    )
