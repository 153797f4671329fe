"""E-mails: each is a row, written with what caused it, and sent by the worker after the commit."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, ClassVar

from django.db import models, transaction
from django.db.models import F, Q
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.models import Website
from tallystick.accounts.standing import Person, standing_of
from tallystick.billing.email_kinds import (
    CREDIT_NOTE,
    INVOICE_GENERATED,
    KEYS,
    PAYMENT_OVERDUE,
    PAYMENT_RECEIVED,
    PAYMENT_REFUNDED,
    PAYMENT_REMINDER,
    REMINDERS,
)
from tallystick.billing.errors import BillingError
from tallystick.events import record
from tallystick.kit import clock
from tallystick.queue.reasons import reason_of
from tallystick.queue.rows import QueueRow, State

if TYPE_CHECKING:
    from tallystick.billing.credit_notes import CreditNote
    from tallystick.billing.invoices import Invoice
    from tallystick.billing.payments import Payment
    from tallystick.billing.refunds import Refund

__all__ = [
    "CREDIT_NOTE",
    "INVOICE_GENERATED",
    "KEYS",
    "PAYMENT_OVERDUE",
    "PAYMENT_RECEIVED",
    "PAYMENT_REFUNDED",
    "PAYMENT_REMINDER",
    "REMINDERS",
    "Email",
    "EmailAttempt",
    "Outcome",
    "bounced",
]

bounced = Signal()
"""Sent with `email` when its recipient's server has sent it back, within that transaction."""


class StillWaiting(BillingError):
    """It has not been sent yet, and goes out by itself."""


class Outcome(models.TextChoices):
    WAITING = "", _("not sent yet")
    SENT = "sent", _("sent")
    FAILED = "failed", _("failed")
    SUPPRESSED = "suppressed", _("held back")
    ROUTED = "routed", _("routed elsewhere")
    BOUNCED = "bounced", _("bounced")


class EmailQuerySet(models.QuerySet["Email"]):
    def visible_to(self, user: Person) -> EmailQuerySet:
        """Those of the websites that `user` administers."""
        standing = standing_of(user)
        return self if standing.is_superadmin else self.filter(website__in=standing.admin_of)

    def by_message_id(self, message_id: str) -> Email | None:
        """The one that a report of a mail system is about."""
        local = message_id.strip().strip("<>").partition("@")[0]
        try:
            return self.filter(uid=uuid.UUID(hex=local)).first()
        except ValueError:
            return None


class Email(QueueRow):
    """One message to one recipient about `invoice`, or about what else is named of it.

    It is written when it is sent, from the template of its `key`; `message_id` stays the same over
    all attempts, so that a recipient's mail system can tell a repeat. `outcome` says what became of
    it; `note` why it was not sent, or what else is to be known."""

    Outcome = Outcome

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    website = models.ForeignKey(
        Website,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,  # `email_by_age` serves
    )
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
    refund = models.ForeignKey(
        "billing.Refund",
        null=True,
        on_delete=models.PROTECT,
        related_name="emails",
        editable=False,
    )
    credit_note = models.ForeignKey(
        "billing.CreditNote",
        null=True,
        on_delete=models.PROTECT,
        related_name="emails",
        editable=False,
    )
    stage = models.CharField(max_length=20, blank=True, editable=False)
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
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=Outcome.values), name="email_outcome_known"
            ),
            models.UniqueConstraint(
                fields=["invoice", "key", "stage"],
                condition=~Q(stage=""),
                name="email_stage_once",
            ),
        ]
        indexes = [
            *QueueRow.Meta.indexes,
            models.Index(fields=["created_at", "id"], name="email_age"),
            models.Index(fields=["website", "created_at", "id"], name="email_by_age"),
            models.Index(
                fields=["website", "outcome", "created_at", "id"], name="email_by_outcome"
            ),
            models.Index(fields=["website", "to", "outcome"], name="email_by_address"),
        ]

    def __str__(self) -> str:
        return f"{self.key} to {self.to or 'nobody yet'}"

    @property
    def trouble(self) -> str:
        """Why it has not gone out; empty when there is nothing to complain of."""
        return self.last_error or ("" if self.outcome == Outcome.SENT else self.note)

    @property
    def is_failed(self) -> bool:
        """Whether only a person brings it on its way again."""
        return self.state == State.DEAD

    @classmethod
    def queue(
        cls,
        key: str,
        invoice: Invoice,
        payment: Payment | None = None,
        *,
        refund: Refund | None = None,
        credit_note: CreditNote | None = None,
        stage: str = "",
    ) -> Email:
        """Write the row, due now, in the caller's transaction. Of a `stage` there is one mail per
        invoice and kind: asked again, the first is returned."""
        email = cls.about(
            key, invoice, payment=payment, refund=refund, credit_note=credit_note, stage=stage
        )
        if stage:
            cls.objects.bulk_create([email], ignore_conflicts=True)
            return cls.objects.get(invoice=invoice, key=key, stage=stage)
        email.save(force_insert=True)
        return email

    @classmethod
    def about(
        cls,
        key: str,
        invoice: Invoice,
        *,
        payment: Payment | None = None,
        refund: Refund | None = None,
        credit_note: CreditNote | None = None,
        stage: str = "",
    ) -> Email:
        """The row, not stored yet."""
        email = cls(website_id=invoice.website_id, key=key, invoice=invoice, stage=stage)
        email.payment, email.refund, email.credit_note = payment, refund, credit_note
        email.to = invoice.client.email[:254]
        email.message_id = f"<{email.uid.hex}@{invoice.website.domain.partition(':')[0]}>"
        return email

    def resend(self) -> Email:
        """Send it once more: the same row where it has failed, else a new one. Raises
        `StillWaiting`."""
        with transaction.atomic():
            now = Email.objects.select_for_update().get(pk=self.pk)
            if now.state not in (State.DEAD, State.DONE):
                raise StillWaiting
            if now.state == State.DEAD:
                now.revive()
                again = now
            else:
                again = Email.about(
                    now.key,
                    now.invoice,
                    payment=now.payment,
                    refund=now.refund,
                    credit_note=now.credit_note,
                )
                again.save(force_insert=True)
            record("email.resent", again, change={"key": now.key})
        again.refresh_from_db()
        return again

    def bounced(self, reason: str) -> None:
        """The recipient's server sent it back. For a host, or a provider, that is told so; a second
        time changes nothing."""
        with transaction.atomic():
            now = Email.objects.select_for_update().get(pk=self.pk)
            if now.outcome == Outcome.BOUNCED:
                return
            words = reason_of(reason)
            # The fence moves, so that a worker who is about to send it again does not say otherwise.
            Email.objects.filter(pk=self.pk).update(
                state=State.DEAD,
                outcome=Outcome.BOUNCED,
                last_error=words,
                lease_owner="",
                fence=F("fence") + 1,
                updated_at=clock.now(),
            )
            EmailAttempt.note(now, Outcome.BOUNCED, words)
            record("email.bounced", now, change={"key": now.key})
            self.refresh_from_db()
            bounced.send(sender=Email, email=self)

    def bury(self, error: BaseException | str, **fields: object) -> None:
        super().bury(error, **{"outcome": Outcome.FAILED, **fields})

    def revive(self) -> None:
        Email.objects.filter(pk=self.pk, state=State.DEAD).update(
            outcome=Outcome.WAITING, last_error="", note=""
        )
        super().revive()


class EmailAttempt(models.Model):
    """One try to send `email`, and what became of it in the words of the server: without addresses
    and secrets. Added to, never changed."""

    class Result(models.TextChoices):
        SENT = "sent", _("taken by the mail server")
        LATER = "later", _("to be tried again")
        FAILED = "failed", _("failed")
        SUPPRESSED = "suppressed", _("held back")
        ROUTED = "routed", _("routed elsewhere")
        BOUNCED = "bounced", _("bounced")

    email = models.ForeignKey(Email, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField(default=clock.now)
    result = models.CharField(max_length=10, choices=Result)
    words = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.result} {self.words}".strip()

    @classmethod
    def note(cls, email: Email, result: str, words: str = "") -> None:
        hidden = words.replace(email.to, "[address]") if email.to else words
        cls.objects.create(email=email, result=result, words=reason_of(hidden))
