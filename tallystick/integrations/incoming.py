"""Bringing back what a provider has: one link, one found invoice, applied once."""

from __future__ import annotations

import logging

from tallystick.integrations import sync
from tallystick.integrations.links import Link
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.turns import Progress
from tallystick.ports.records import RemoteInvoice

logger = logging.getLogger(__name__)


class CannotApply(Exception):
    """What was found cannot be taken over; the message says why and what to do."""


def take(link: Link, found: RemoteInvoice | None, log: SyncLog, progress: Progress) -> None:
    """Apply `found` (None: it is gone) in the caller's transaction, and say on the link how the
    two sides differ, if they do."""
    try:
        difference = sync.sync_of(link.model).apply(link, found) if found else "It is gone there."
    except CannotApply as error:
        difference = str(error)
    if difference:
        progress.failed += 1
        log.failed(link.key, difference)
    else:
        progress.done += 1
        log.synced_records += 1
    values = {"difference": difference}
    if found:
        values["remote_version"] = found.remote.version
    Link.objects.filter(pk=link.pk).update(**values)
