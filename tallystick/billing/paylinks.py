"""Payment links: whoever holds the token may see and pay that one invoice."""

from __future__ import annotations

from datetime import datetime
from hmac import compare_digest

from django.db import models, transaction

from tallystick.billing import days, link_log, tokens
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice
from tallystick.billing.link_log import LinkEventKind
from tallystick.billing.link_states import LinkState
from tallystick.billing.states import InvoiceStatus, WrongState
from tallystick.events import record
from tallystick.kit import clock

__all__ = ["LinkState", "ReplacedLink", "RetiredToken", "UnknownLink", "find", "state"]

# Looked up in place of what cannot be a token, so that every wrong one takes the same way.
_NOBODYS = "INV-000000000000-" + "0" * 43

_LINK = (*("payment_token", "token_expires_at", "token_revoked_at", "link_one_use"),)
_GONE = frozenset({InvoiceStatus.VOID, InvoiceStatus.PAID})


class UnknownLink(BillingError):
    """This payment link does not exist."""


class ReplacedLink(UnknownLink):
    """This payment link was replaced by a newer one."""

    def __init__(self, invoice: Invoice) -> None:
        super().__init__()
        self.invoice = invoice


class BadExpiry(BillingError):
    """A payment link expires in the future, in the year 2199 at the latest."""


class RetiredToken(models.Model):
    """A token that a newer one took the place of; of it only the digest is kept."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="retired_tokens")
    digest = models.CharField(max_length=64)
    retired_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest"], name="retired_token_once")]

    def __str__(self) -> str:
        return f"retired link of {self.invoice_id}"


def find(token: str) -> Invoice:
    """The invoice that `token` opens; whether it may be paid, `state` tells.

    Raises `UnknownLink` and, where a newer link took its place, `ReplacedLink`."""
    probe = token if tokens.is_payment_token(token) else _NOBODYS
    found = (
        Invoice.objects.everywhere()
        .filter(payment_token=probe)
        .exclude(status=InvoiceStatus.DRAFT)
        .select_related("website", "client__user", "client__organisation")
        .first()
    )
    if found is not None and compare_digest(found.payment_token.encode(), probe.encode()):
        return found
    retired = RetiredToken.objects.filter(digest=tokens.digest(probe))
    if replaced := retired.select_related("invoice__website").first():
        raise ReplacedLink(replaced.invoice)
    raise UnknownLink


def state(invoice: Invoice, now: datetime | None = None) -> LinkState:
    """What the holder of the invoice's link may do."""
    expiry = invoice.token_expires_at
    states = (
        (LinkState.UNKNOWN, invoice.is_draft),
        (LinkState.REVOKED, invoice.token_revoked_at is not None),
        (LinkState.VOID, invoice.status == InvoiceStatus.VOID),
        (LinkState.PAID, invoice.is_paid),
        (LinkState.EXPIRED, expiry is not None and expiry <= (now or clock.now())),
        (LinkState.USED, invoice.link_one_use and was_used(invoice)),
    )
    return next((state for state, holds in states if holds), LinkState.USABLE)


def was_used(invoice: Invoice) -> bool:
    """Whether a payment came by the link; it was used also where that was refunded since."""
    link = tokens.digest(invoice.payment_token)
    return invoice.payments.filter(link=link, succeeded_at__isnull=False).exists()


def make(
    invoice: Invoice, *, expires_at: datetime | None = None, one_use: bool | None = None
) -> str:
    """The address of a link that works: the one there is, or a new one where that was revoked, has
    expired or was used. A second time changes nothing. Raises `WrongState`, `BadExpiry`."""
    with transaction.atomic():
        invoice.lock()
        _refuse_gone(invoice)
        if state(invoice) != LinkState.USABLE:
            _replace(invoice, expires_at, one_use)
            _note(invoice, LinkEventKind.MADE)
            return invoice.url
        if expires_at is not None and expires_at != invoice.token_expires_at:
            _expire(invoice, expires_at)
        if one_use is not None and one_use != invoice.link_one_use:
            invoice.link_one_use = one_use
            invoice.save(update_fields=["link_one_use"])
    return invoice.url


def renew(
    invoice: Invoice,
    *,
    expires_at: datetime | None = None,
    one_use: bool | None = None,
    reason: str = "",
) -> str:
    """A new link, good until `expires_at`, else until the end of the term after the due date or after
    today, whichever is later. The old one no longer opens the invoice. Returns the new address.
    Raises `WrongState`, `BadExpiry`."""
    with transaction.atomic():
        invoice.lock()
        _refuse_gone(invoice)
        _replace(invoice, expires_at, one_use)
        _note(invoice, LinkEventKind.RENEWED, reason)
    return invoice.url


def expire_at(invoice: Invoice, expires_at: datetime, *, reason: str = "") -> None:
    """The same link, good until `expires_at`. Raises `WrongState`, `BadExpiry`."""
    with transaction.atomic():
        invoice.lock()
        if invoice.is_draft:
            raise WrongState("A draft has no payment link yet; issue it first.")
        if expires_at != invoice.token_expires_at:
            _expire(invoice, expires_at, reason)


def revoke(invoice: Invoice, *, reason: str = "") -> None:
    """From now on the link opens nothing. A second time changes nothing."""
    with transaction.atomic():
        invoice.lock()
        if invoice.token_revoked_at is None:
            invoice.token_revoked_at = clock.now()
            invoice.save(update_fields=["token_revoked_at"])
            _note(invoice, LinkEventKind.REVOKED, reason)


def _refuse_gone(invoice: Invoice) -> None:
    if invoice.status in _GONE:
        raise WrongState("There is nothing to pay any more.")


def _replace(invoice: Invoice, expires_at: datetime | None, one_use: bool | None) -> None:
    if invoice.is_draft:
        raise WrongState("A draft has no payment link yet; issue it first.")
    last = max(invoice.due_date or invoice.website.today(), invoice.website.today())
    RetiredToken.objects.create(invoice=invoice, digest=tokens.digest(invoice.payment_token))
    invoice.payment_token = tokens.new_payment_token(invoice.reference_id)
    invoice.token_expires_at = (
        _in_the_future(expires_at) if expires_at else tokens.expiry(last, invoice.website.time_zone)
    )
    invoice.token_revoked_at = None
    invoice.link_one_use = invoice.link_one_use if one_use is None else one_use
    invoice.save(update_fields=_LINK)


def _expire(invoice: Invoice, expires_at: datetime, reason: str = "") -> None:
    invoice.token_expires_at = _in_the_future(expires_at)
    invoice.save(update_fields=["token_expires_at"])
    _note(invoice, LinkEventKind.EXTENDED, reason)


def _in_the_future(expires_at: datetime) -> datetime:
    ahead = expires_at.tzinfo is not None and expires_at > clock.now()
    if not ahead or not days.holds(expires_at.date()):
        raise BadExpiry
    return expires_at


def _note(invoice: Invoice, kind: LinkEventKind, reason: str = "") -> None:
    """In the log with the reason, in the journal without: the words may name somebody."""
    record(f"invoice.link_{kind.value}", invoice)
    link_log.note(invoice, kind, words=reason.strip())
