"""Writing and sending one e-mail. Called by the worker, after the commit that asked for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from email.utils import formataddr, parseaddr
from smtplib import SMTPException, SMTPRecipientsRefused
from typing import Any, TypeVar

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F
from django.dispatch import Signal
from django.template.loader import render_to_string
from django.utils.translation import override

from tallystick.billing import documents
from tallystick.billing.emails import INVOICE_GENERATED, Email
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice
from tallystick.events import record
from tallystick.kit import clock, spelling
from tallystick.queue.rows import State

sending = Signal()
"""Sent with `email` before it is written. A receiver that answers True has taken it elsewhere."""

_PERMANENT = range(500, 600)
T = TypeVar("T")


class CannotWrite(BillingError):
    """The e-mail could not be written."""


class NobodyToWriteTo(BillingError):
    """The client has no e-mail address; enter one and try again."""


def deliver(email: Email) -> None:
    """Send `email`, or settle why not. Failures are kept on the row, and tried again."""
    try:
        _deliver(email)
    except NobodyToWriteTo as error:
        _give_up(email, error)
    except SMTPRecipientsRefused as error:
        if _is_final(error):
            _give_up(email, f"The address was refused: {email.to}")
        else:
            _try_again(email, error)
    except (CannotWrite, SMTPException, OSError) as error:
        _try_again(email, error)


def is_allowed(address: str) -> bool:
    """Whether `BILLING_EMAIL_WHITELIST_REGEX` lets mail go to `address`."""
    whitelist = settings.BILLING_EMAIL_WHITELIST_REGEX
    return whitelist is None or whitelist.search(address) is not None


def write(email: Email) -> EmailMultiAlternatives:
    """The message; raises `CannotWrite`, which names the part that failed."""
    invoice = email.invoice
    language = invoice.client.billing_language
    with override(language):
        context = _context(email)
        subject = _part(email, "subject.txt", context)
        text, html = _part(email, "txt", context), _part(email, "html", context)
    message = EmailMultiAlternatives(
        subject=" ".join(subject.split())[:250],
        body=text,
        from_email=_sender(invoice),
        to=[email.to],
        headers={"Message-ID": email.message_id, "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(html, "text/html")
    if settings.INVOICE_EMAIL_ATTACH_PDF:
        message.attach(*_attachment(email))
    return message


def _deliver(email: Email) -> None:
    email.invoice = _invoice_of(email)
    if any(taken for _, taken in sending.send(sender=Email, email=email)):
        email.complete(outcome=Email.Outcome.ROUTED)
        return
    email.to = email.invoice.client.email or email.to
    if not email.to:
        raise NobodyToWriteTo
    if not is_allowed(email.to):
        note = "BILLING_EMAIL_WHITELIST_REGEX does not match the address."
        email.complete(outcome=Email.Outcome.SUPPRESSED, to=email.to, note=note)
        return
    message = write(email)
    message.send()
    _note_sent(email, str(message.subject))


def _invoice_of(email: Email) -> Invoice:
    related = ("website", "client__website", "client__user", "client__organisation")
    return Invoice.objects.everywhere().select_related(*related).get(pk=email.invoice_id)


def _context(email: Email) -> dict[str, Any]:
    invoice = email.invoice
    website = invoice.website
    locale = spelling.locale_of(invoice.client.billing_language, website.country)
    amount = email.payment.allocated.amount if email.payment else _asked(invoice)
    return {
        "client_name": invoice.client.name,
        "amount": spelling.amount(amount, invoice.currency, locale),
        "currency": invoice.currency,
        "due_date": spelling.day(invoice.due_date, locale) if invoice.due_date else "",
        "reference_id": invoice.reference_id,
        "description": invoice.description or invoice.title,
        "payment_link": invoice.url,
        "website_name": website.name,
        "invoice": invoice,
        "payment": email.payment,
        "website": website,
        "locale": locale,
    }


def _asked(invoice: Invoice) -> Decimal:
    return invoice.amount_due if invoice.is_payable else invoice.amount


def _part(email: Email, part: str, context: dict[str, Any]) -> str:
    name = f"billing/email/{email.key}.{part}"
    return _made(f"The template {name}", lambda: render_to_string(name, context))


def _attachment(email: Email) -> tuple[str, bytes, str]:
    invoice, payment = email.invoice, email.payment
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", invoice.number or invoice.reference_id)
    if payment is not None:
        made = _made("The receipt's PDF", lambda: documents.receipt_pdf(payment))
        return f"{name}-receipt.pdf", made, "application/pdf"
    made = _made("The invoice's PDF", lambda: documents.invoice_pdf(invoice))
    return f"{name}.pdf", made, "application/pdf"


def _made(what: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except Exception as error:
        raise CannotWrite(f"{what} failed: {type(error).__name__}: {error}") from error


def _sender(invoice: Invoice) -> str:
    website = invoice.website
    address = website.sender_email or parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return formataddr((" ".join((website.sender_name or website.name).split()), address))


def _is_final(error: SMTPRecipientsRefused) -> bool:
    return all(code in _PERMANENT for code, _ in error.recipients.values())


def _note_sent(email: Email, subject: str) -> None:
    now = clock.now()
    with transaction.atomic():
        email.complete(
            outcome=Email.Outcome.SENT, to=email.to, subject=subject, sent_at=now, note=""
        )
        if email.key == INVOICE_GENERATED:
            Invoice.objects.everywhere().filter(pk=email.invoice_id).update(
                email_sent_at=now, email_sent_count=F("email_sent_count") + 1
            )
            record("invoice.sent", email.invoice)
        record("email.sent", email, change={"key": email.key})


def _try_again(email: Email, error: Exception) -> None:
    with transaction.atomic():
        email.retry(str(error) if isinstance(error, BillingError) else error)
        if email.state == State.DEAD:
            _record_failure(email, error)


def _give_up(email: Email, error: Exception | str) -> None:
    with transaction.atomic():
        email.bury(str(error), to=email.to)
        _record_failure(email, error)


def _record_failure(email: Email, error: Exception | str) -> None:
    # The words may hold an address; the row keeps them, the journal does not.
    reason = type(error).__name__ if isinstance(error, Exception) else "refused"
    record("email.failed", email, change={"key": email.key, "reason": reason})
