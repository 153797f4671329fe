"""The four words for the state of a link, once for one row and once as a condition on many."""

from __future__ import annotations

from django.db.models import Q, TextChoices
from django.utils.translation import gettext_lazy as _

from tallystick.integrations.links import Link
from tallystick.kit import clock
from tallystick.queue.clock import db_now
from tallystick.queue.rows import State
from tallystick.queue.statements import OPEN


class SyncStatus(TextChoices):
    """`retry`: failed, will be tried again; `failed`: given up until someone acts."""

    PENDING = "pending", _("pending")
    SYNCED = "synced", _("synced")
    FAILED = "failed", _("failed")
    RETRY = "retry", _("retry")


class ProductSyncStatus(TextChoices):
    """Of a product: `error` stands for both `retry` and `failed`."""

    PENDING = "pending", _("pending")
    SYNCED = "synced", _("synced")
    ERROR = "error", _("error")


LEFT_OUT = Q(state=State.DONE, remote_id="")
"""A condition on links: there is nothing to send, as `last_error` says. Of none of the four words,
though where there has to be one it is `pending`."""
LEFT_OUT_CHOICE = ("left_out", _("left out"))
"""Its word, where people look for what is in none of the others."""


def is_left_out(link: Link) -> bool:
    return link.state == State.DONE and not link.remote_id


def status_of(link: Link | None) -> SyncStatus:
    """The word for `link`, whose connection is loaded. Without a link: pending."""
    if link is None:
        return SyncStatus.PENDING
    if link.state == State.DEAD:
        return SyncStatus.FAILED
    if link.state == State.DONE:
        return SyncStatus.PENDING if is_left_out(link) else SyncStatus.SYNCED
    return SyncStatus.RETRY if _has_failed(link) else SyncStatus.PENDING


def product_status_of(link: Link | None) -> ProductSyncStatus:
    status = status_of(link)
    if status in {SyncStatus.FAILED, SyncStatus.RETRY}:
        return ProductSyncStatus.ERROR
    return ProductSyncStatus(status.value)


def is_in(status: str) -> Q:
    """A condition on links: those of which `status_of` says `status`, or `product_status_of`; what
    is left out is in none but `left_out`."""
    failed = Q(state=State.DEAD)
    retry = Q(state__in=OPEN) & (
        Q(attempts__gt=0) & ~Q(last_error="")
        | Q(connection__needs_reconnect=True)
        | Q(connection__rests_until__gt=db_now())
    )
    synced = Q(state=State.DONE) & ~Q(remote_id="")
    conditions = {
        SyncStatus.SYNCED.value: synced,
        SyncStatus.FAILED.value: failed,
        SyncStatus.RETRY.value: retry,
        ProductSyncStatus.ERROR.value: failed | retry,
        SyncStatus.PENDING.value: Q(state__in=OPEN) & ~retry,
        LEFT_OUT_CHOICE[0]: LEFT_OUT,
    }
    return conditions[status]


def _has_failed(link: Link) -> bool:
    """Whether a try has, or the whole connection waits."""
    connection = link.connection
    rests = connection.rests_until is not None and connection.rests_until > clock.now()
    return bool(link.attempts and link.last_error) or connection.needs_reconnect or rests
