"""Payment links: whoever holds the token may see and pay that one invoice."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from hmac import compare_digest

from django.conf import settings
from django.db import models, transaction

from tallystick.billing import tokens
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice
from tallystick.billing.states import InvoiceStatus, WrongState
from tallystick.events import record
from tallystick.kit import clock

# Looked up in place of what cannot be a token, so that every wrong one takes the same way.
_NOBODYS = "INV-000000000000-" + "0" * 43


class UnknownLink(BillingError):
    """This payment link does not exist."""


class ReplacedLink(UnknownLink):
    """This payment link was replaced by a newer one."""


class LinkState(StrEnum):
    UNKNOWN = "unknown"
    USABLE = "usable"
    EXPIRED = "expired"
    REVOKED = "revoked"
    USED = "used"
    PAID = "paid"
    VOID = "void"


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
    if RetiredToken.objects.filter(digest=tokens.digest(probe)).exists():
        raise ReplacedLink
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
        (LinkState.USED, settings.PAYMENT_LINK_ONE_USE and invoice.amount_paid > 0),
    )
    return next((state for state, holds in states if holds), LinkState.USABLE)


def renew(invoice: Invoice) -> str:
    """A new link, good until the end of the term after the due date or after today, whichever is
    later. The old one no longer opens the invoice. Returns the new address."""
    with transaction.atomic():
        invoice.lock()
        if invoice.is_draft:
            raise WrongState("A draft has no payment link yet; issue it first.")
        RetiredToken.objects.create(invoice=invoice, digest=tokens.digest(invoice.payment_token))
        invoice.payment_token = tokens.new_payment_token(invoice.reference_id)
        last = max(invoice.due_date or invoice.website.today(), invoice.website.today())
        invoice.token_expires_at = tokens.expiry(last, invoice.website.time_zone)
        invoice.token_revoked_at = None
        invoice.save(update_fields=["payment_token", "token_expires_at", "token_revoked_at"])
        record("invoice.link_renewed", invoice)
    return invoice.url


def revoke(invoice: Invoice) -> None:
    """From now on the link opens nothing. A second time changes nothing."""
    with transaction.atomic():
        invoice.lock()
        if invoice.token_revoked_at is None:
            invoice.token_revoked_at = clock.now()
            invoice.save(update_fields=["token_revoked_at"])
            record("invoice.link_revoked", invoice)
