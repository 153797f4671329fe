"""E-mails: each is a row, written with what caused it, and sent by the worker after the commit."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.models import Website
from tallystick.accounts.standing import Person, standing_of
from tallystick.queue.rows import QueueRow

if TYPE_CHECKING:
    from tallystick.billing.invoices import Invoice
    from tallystick.billing.payments import Payment

INVOICE_GENERATED = "payment.invoice_generated"
PAYMENT_RECEIVED = "payment.received"
KEYS = (INVOICE_GENERATED, PAYMENT_RECEIVED)


class EmailQuerySet(models.QuerySet["Email"]):
    def visible_to(self, user: Person) -> EmailQuerySet:
        """Those of the websites that `user` administers."""
        standing = standing_of(user)
        return self if standing.is_superadmin else self.filter(website__in=standing.admin_of)


class Email(QueueRow):
    """One message to one recipient about `invoice`, or about `payment` of it.

    It is written when it is sent, from the template of its `key`; `message_id` stays the same over
    all attempts, so that a recipient's mail system can tell a repeat. `outcome` says what became of
    it; `note` why it was not sent."""

    class Outcome(models.TextChoices):
        WAITING = "", _("not sent yet")
        SENT = "sent", _("sent")
        SUPPRESSED = "suppressed", _("suppressed")
        ROUTED = "routed", _("routed elsewhere")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    website = models.ForeignKey(Website, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(_("kind"), max_length=60, editable=False)
    invoice = models.ForeignKey(
        "billing.Invoice", on_delete=models.PROTECT, related_name="emails", editable=False
    )
    payment = models.ForeignKey(
        "billing.Payment",
        null=True,
        on_delete=models.PROTECT,
        related_name="emails",
        editable=False,
    )
    to = models.CharField(_("to"), max_length=254, blank=True, editable=False)
    subject = models.CharField(_("subject"), max_length=250, blank=True, editable=False)
    message_id = models.CharField(max_length=320, editable=False)
    outcome = models.CharField(
        _("outcome"), max_length=10, blank=True, choices=Outcome, editable=False
    )
    note = models.CharField(_("note"), max_length=250, blank=True, editable=False)
    sent_at = models.DateTimeField(_("sent at"), null=True, editable=False)

    objects: ClassVar[models.Manager[Email]] = models.Manager.from_queryset(EmailQuerySet)()

    class Meta(QueueRow.Meta):
        abstract = False
        verbose_name = _("e-mail")
        verbose_name_plural = _("e-mails")
        constraints = [
            models.CheckConstraint(
                condition=~Q(outcome="sent") | Q(sent_at__isnull=False), name="email_sent_when"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key} to {self.to or 'nobody yet'}"

    @property
    def trouble(self) -> str:
        """Why it has not gone out; empty when there is nothing to complain of."""
        return self.last_error or self.note

    @classmethod
    def queue(cls, key: str, invoice: Invoice, payment: Payment | None = None) -> Email:
        """Write the row, due now, in the caller's transaction."""
        email = cls(website_id=invoice.website_id, key=key, invoice=invoice, payment=payment)
        email.to = invoice.client.email
        email.message_id = f"<{email.uid.hex}@{invoice.website.domain.partition(':')[0]}>"
        email.save(force_insert=True)
        return email
