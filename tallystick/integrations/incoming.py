"""Bringing back what a provider has: one link, one found invoice, applied once."""

from __future__ import annotations

import logging

from django.db import Error as DatabaseError
from django.db import transaction

from tallystick.integrations import sync
from tallystick.integrations.links import Link
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.sync import CannotApply
from tallystick.integrations.turns import Progress
from tallystick.ports.records import RemoteInvoice
from tallystick.queue.reasons import trace_of

__all__ = ["CannotApply", "take"]

logger = logging.getLogger(__name__)


def take(link: Link, found: RemoteInvoice | None, log: SyncLog, progress: Progress) -> None:
    """Apply `found` (None: it is gone) in the caller's transaction, and say on the link how the
    two sides differ, if they do."""
    difference = _applied(link, found) if found else "It is gone there."
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


def _applied(link: Link, found: RemoteInvoice) -> str:
    """How the two sides differ after all. What fails for one record is told of it alone: it must
    not keep the connection from all the others."""
    try:
        with transaction.atomic():
            return sync.sync_of(link.model).apply(link, found)
    except CannotApply as error:
        return str(error)
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - one bad record must not stop the rest
        logger.error(  # noqa: TRY400 - its message may hold what a log must not
            "link %s: what was found could not be taken over: %s", link.pk, trace_of(error)
        )
        return f"It could not be taken over, an error of our own: {type(error).__name__}."
