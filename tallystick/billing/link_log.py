"""LinkEvent: what was done with an invoice's payment link, and by whom: looked at, tried, paid,
renewed. Beside the journal, because a look changes nothing that would have to be kept for ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from django.db import models
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.tenancy import TenantModel, TenantQuerySet
from tallystick.billing.errors import BillingError
from tallystick.billing.link_states import LinkState
from tallystick.events import Actor, current_actor
from tallystick.events.personal import LONGEST, HasAddress, sealer_of
from tallystick.kit import clock, signing
from tallystick.kit.money import MoneyError

if TYPE_CHECKING:
    from tallystick.billing.invoices import Invoice

_PRUNED_AT_ONCE = 5000
_AGENT = 120
_NOTE = 250


class LinkEventKind(models.TextChoices):
    VIEWED = "viewed", _("looked at")
    PDF = "pdf", _("PDF opened")
    RECEIPT = "receipt", _("receipt opened")
    ATTEMPTED = "attempted", _("payment tried")
    PAID = "paid", _("paid")
    REFUSED = "refused", _("payment refused")
    EXPIRED_SEEN = "expired_seen", _("opened after it had expired")
    REVOKED_SEEN = "revoked_seen", _("opened after it was withdrawn")
    REPLACED_SEEN = "replaced_seen", _("opened after a newer one had replaced it")
    USED_SEEN = "used_seen", _("opened after it was used")
    VOID_SEEN = "void_seen", _("opened after the invoice was voided")
    MADE = "made", _("made")
    RENEWED = "renewed", _("renewed")
    EXTENDED = "extended", _("expiry changed")
    REVOKED = "revoked", _("withdrawn")


_K = LinkEventKind
ACTS = frozenset({_K.MADE, _K.RENEWED, _K.EXTENDED, _K.REVOKED})
"""What staff do. The journal has these too."""

_EVERY = {
    **dict.fromkeys(set(_K) - ACTS, 3600),
    _K.ATTEMPTED: 60,
    _K.REFUSED: 60,
    _K.PAID: 0,
}
"""The same from the same address is noted once in so many seconds."""

_SEEN = {
    LinkState.EXPIRED: _K.EXPIRED_SEEN,
    LinkState.REVOKED: _K.REVOKED_SEEN,
    LinkState.USED: _K.USED_SEEN,
    LinkState.VOID: _K.VOID_SEEN,
}


class LinkEvent(HasAddress, TenantModel):
    """`address` is sealed under a key of whoever it is; `address_shown` reads it. `once` is the same
    for what is noted only once."""

    Kind = LinkEventKind

    invoice = models.ForeignKey(
        "billing.Invoice", on_delete=models.CASCADE, related_name="link_events", db_index=False
    )
    at = models.DateTimeField(_("at"), default=clock.now, db_index=True)
    kind = models.CharField(_("kind"), max_length=20, choices=LinkEventKind)
    actor_kind = models.CharField(_("by"), max_length=10)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_label = models.CharField(max_length=100, blank=True)
    address = models.CharField(_("from"), max_length=LONGEST, blank=True)
    agent = models.CharField(_("browser"), max_length=_AGENT, blank=True)
    note = models.CharField(_("note"), max_length=_NOTE, blank=True)
    once = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        verbose_name = _("use of a payment link")
        verbose_name_plural = _("uses of payment links")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["once"], condition=~models.Q(once=""), name="link_event_once"
            )
        ]
        indexes = [models.Index(fields=["invoice", "id"], name="link_event_of_invoice")]

    def __str__(self) -> str:
        return f"{self.kind} {self.invoice_id}"


def of(invoice: Invoice) -> TenantQuerySet[LinkEvent]:
    """All that was done with the links of `invoice`, newest first."""
    return LinkEvent.objects.of(invoice.website_id).filter(invoice=invoice).order_by("-id")


def visits(invoice: Invoice) -> TenantQuerySet[LinkEvent]:
    """What its visitors did: what a timeline shows beside the journal, which has the rest."""
    return of(invoice).exclude(kind__in=ACTS)


def note(
    invoice: Invoice, kind: LinkEventKind | str, *, words: str = "", actor: Actor | None = None
) -> None:
    """Note that `kind` was done with the link of `invoice`, by `actor` or who acts. A repeat from the
    same address within the hour (a try: the minute) is not noted again."""
    who = actor or current_actor()
    sealer = sealer_of(who.whose) if who.whose and who.address else None
    kind = LinkEventKind(kind)
    row = LinkEvent(
        website_id=invoice.website_id,
        invoice=invoice,
        kind=kind,
        actor_kind=who.kind.value,
        actor_id=who.id,
        actor_label=who.label,
        address=sealer.seal(who.address) if sealer else "",
        agent=_plain(who.agent)[:_AGENT],
        note=_plain(words)[:_NOTE],
    )
    if seconds := _EVERY.get(kind, 0):
        window = int(clock.now().timestamp()) // seconds
        what = f"{invoice.pk}:{kind.value}:{row.note}:{window}:{who.id}"
        keyed = sealer.digest(f"{what}:{who.address}") if sealer else ""
        row.once = keyed or signing.digest(what)
        # The cache spares the query; it may forget.
        if not cache.add(f"link-event:{row.once}", True, seconds):
            return
    LinkEvent.objects.bulk_create([row], ignore_conflicts=bool(row.once))


def note_closed(invoice: Invoice, state: LinkState) -> None:
    """Note that a link was opened which opens nothing to pay any more."""
    note(invoice, _SEEN.get(state, LinkEventKind.VIEWED))


@contextmanager
def attempt(invoice: Invoice, method: str) -> Iterator[None]:
    """Note a try to pay by link, and whether it was refused."""
    note(invoice, LinkEventKind.ATTEMPTED, words=method)
    try:
        yield
    except (BillingError, MoneyError) as error:
        note(invoice, LinkEventKind.REFUSED, words=type(error).__name__)
        raise
    note(invoice, LinkEventKind.PAID, words=method)


def prune() -> int:
    """Delete what is older than `PAYMENT_LINK_LOG_DAYS`; returns how many."""
    old = LinkEvent.objects.everywhere().filter(
        at__lt=clock.now() - timedelta(days=settings.PAYMENT_LINK_LOG_DAYS)
    )
    count = 0
    while batch := list(old.order_by("at").values_list("pk", flat=True)[:_PRUNED_AT_ONCE]):
        count += LinkEvent.objects.everywhere().filter(pk__in=batch).delete()[0]
    return count


def forget(rows: models.QuerySet[LinkEvent]) -> int:
    """Erase who did it and from where; that it was done stays. Returns how many."""
    return rows.update(address="", agent="", note="", once="")


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
