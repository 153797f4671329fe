"""Sending one e-mail. Called by the worker, after the commit that asked for it."""

from __future__ import annotations

from contextlib import suppress
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPResponseException

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F
from django.dispatch import Signal

from tallystick.accounts.models import Website
from tallystick.billing import paylinks, reminders
from tallystick.billing.email_kinds import ASKING, INVOICE_GENERATED, REMINDERS
from tallystick.billing.email_writing import (
    BadAddress,
    CannotWrite,
    Letter,
    NobodyToWriteTo,
    test_message,
    write,
)
from tallystick.billing.emails import Email, EmailAttempt, Outcome
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice
from tallystick.billing.link_states import LinkState
from tallystick.billing.states import InvoiceStatus
from tallystick.events import record
from tallystick.kit import clock
from tallystick.queue.reasons import reason_of
from tallystick.queue.rows import State

__all__ = [
    "BadAddress",
    "CannotWrite",
    "NobodyToWriteTo",
    "NotAllowed",
    "NotTaken",
    "deliver",
    "is_allowed",
    "send_test",
    "sending",
]


class NotAllowed(BillingError):
    """BILLING_EMAIL_WHITELIST_REGEX does not match the address."""


class NotTaken(BillingError):
    """The mail server did not take it."""


sending = Signal()
"""Sent with `email` before it is written. A receiver that answers True has taken it elsewhere."""

_PERMANENT = range(500, 600)
_Result = EmailAttempt.Result
_CLOSED = {
    LinkState.REVOKED: reminders.STOPS["revoked"],
    LinkState.EXPIRED: reminders.STOPS["expired"],
}
"""Links that a mail must not ask to pay by."""


def deliver(email: Email) -> None:
    """Send `email`, or settle why not. Failures are kept on the row, and tried again."""
    try:
        _deliver(email)
    except NobodyToWriteTo as error:
        _give_up(email, error)
    except SMTPRecipientsRefused as error:
        if _is_final(error):
            _return(email, error)
        else:
            _try_again(email, error)
    except SMTPDataError as error:
        # Refused after the recipient was taken: for its size, its content, by policy.
        if error.smtp_code in _PERMANENT:
            _give_up(email, error)
        else:
            _try_again(email, error)
    except (CannotWrite, SMTPException, OSError) as error:
        _try_again(email, error)


def send_test(letter: Letter, website: Website, to: str) -> None:
    """Send a made-up `letter` to who wrote it, at once. Raises `NotAllowed`, `BadAddress`,
    `CannotWrite`, and `NotTaken` with what the mail server said."""
    if not is_allowed(to):
        raise NotAllowed
    message = test_message(letter, website, to)
    try:
        _send(message)
    except (SMTPException, OSError) as error:
        raise NotTaken(f"The mail server did not take it: {_words(error)}") from error


def is_allowed(address: str) -> bool:
    """Whether `BILLING_EMAIL_WHITELIST_REGEX` lets mail go to `address`."""
    whitelist = settings.BILLING_EMAIL_WHITELIST_REGEX
    return whitelist is None or whitelist.search(address) is not None


def _deliver(email: Email) -> None:
    email.invoice = _invoice_of(email)
    email.to = (email.invoice.client.email or email.to)[:254]
    if note := _reason_against(email):
        _settle(email, Outcome.SUPPRESSED, note)
        return
    if any(taken for _, taken in sending.send(sender=Email, email=email)):
        _settle(email, Outcome.ROUTED)
        return
    if not email.to:
        raise NobodyToWriteTo
    message, complaints = write(email)
    _send(message)
    _note_sent(email, str(message.subject), " ".join(complaints))


def _send(message: EmailMultiAlternatives) -> None:
    try:
        message.send()
    except Exception:
        # Django leaves a connection open that could not log in or did not get its encryption.
        if connection := getattr(message, "connection", None):
            with suppress(OSError):
                connection.close()
        raise


def _reason_against(email: Email) -> str:
    """Why it is not to be sent, by what is known now; empty when it is."""
    if email.to and not is_allowed(email.to):
        return str(NotAllowed())
    if email.key in REMINDERS:
        return reminders.stop_of(email)
    if email.key == INVOICE_GENERATED and email.invoice.status == InvoiceStatus.VOID:
        return "The invoice is void."
    return str(_CLOSED.get(paylinks.state(email.invoice), "")) if email.key in ASKING else ""


def _invoice_of(email: Email) -> Invoice:
    related = ("website", "client__website", "client__user", "client__organisation")
    return Invoice.objects.everywhere().select_related(*related).get(pk=email.invoice_id)


def _is_final(error: SMTPRecipientsRefused) -> bool:
    return all(code in _PERMANENT for code, _ in error.recipients.values())


def _words(error: Exception | str) -> str:
    """What the server said, or what went wrong: the words of each."""
    if isinstance(error, SMTPRecipientsRefused):
        said = [f"{code} {_text(words)}" for code, words in error.recipients.values()]
        return reason_of("; ".join(said))
    if isinstance(error, SMTPResponseException):
        return reason_of(f"{error.smtp_code} {_text(error.smtp_error)}")
    return str(error) if isinstance(error, BillingError | str) else reason_of(error)


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)


def _settle(email: Email, outcome: Outcome, note: str = "") -> None:
    with transaction.atomic():
        email.complete(outcome=outcome, to=email.to, note=note[:250])
        EmailAttempt.note(email, outcome, note)


def _note_sent(email: Email, subject: str, complaints: str) -> None:
    now = clock.now()
    with transaction.atomic():
        email.complete(
            outcome=Outcome.SENT, to=email.to, subject=subject, sent_at=now, note=complaints[:250]
        )
        EmailAttempt.note(email, _Result.SENT, complaints)
        if email.key == INVOICE_GENERATED:
            Invoice.objects.everywhere().filter(pk=email.invoice_id).update(
                email_sent_at=now, email_sent_count=F("email_sent_count") + 1
            )
            record("invoice.sent", email.invoice)
        record("email.sent", email, change={"key": email.key})


def _try_again(email: Email, error: Exception) -> None:
    with transaction.atomic():
        email.retry(_words(error) if isinstance(error, BillingError) else error, to=email.to)
        if email.state == State.DEAD:
            EmailAttempt.note(email, _Result.FAILED, _words(error))
            _record_failure(email, error)
        else:
            EmailAttempt.note(email, _Result.LATER, _words(error))


def _give_up(email: Email, error: Exception) -> None:
    with transaction.atomic():
        email.bury(_words(error), to=email.to)
        EmailAttempt.note(email, _Result.FAILED, _words(error))
        _record_failure(email, error)


def _return(email: Email, error: Exception) -> None:
    """The server of the recipient will not have it: as if it had been sent back."""
    words = f"The address was refused: {_words(error)}"
    with transaction.atomic():
        email.bury(words, to=email.to, outcome=Outcome.BOUNCED)
        EmailAttempt.note(email, _Result.BOUNCED, words)
        _record_failure(email, error)


def _record_failure(email: Email, error: Exception) -> None:
    # The words may hold an address; the row keeps them, the journal does not.
    record("email.failed", email, change={"key": email.key, "reason": type(error).__name__})
