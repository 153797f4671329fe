"""Writing a mail: the website's words, else the project's templates, else ours; and the documents."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.mime.image import MIMEImage
from email.utils import formataddr, parseaddr
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.template import TemplateDoesNotExist
from django.template.backends.django import DjangoTemplates
from django.template.loader import get_template
from django.utils.translation import override

from tallystick.accounts.models import Website
from tallystick.billing import documents, email_samples
from tallystick.billing.email_kinds import CREDIT_NOTE, PAYMENT_RECEIVED, PAYMENT_REFUNDED
from tallystick.billing.email_looks import Look, look_of
from tallystick.billing.email_templates import EmailTemplate
from tallystick.billing.email_values import bank_rows, details, header, values_of
from tallystick.billing.email_wording import Wording, as_html, as_text
from tallystick.billing.emails import Email
from tallystick.billing.errors import BillingError
from tallystick.queue.reasons import reason_of

logger = logging.getLogger(__name__)
T = TypeVar("T")

PARTS = ("subject.txt", "txt", "html")
_LONGEST_SUBJECT = 200


class CannotWrite(BillingError):
    """The e-mail could not be written."""


class NobodyToWriteTo(BillingError):
    """The client has no e-mail address; enter one and try again."""


class BadAddress(NobodyToWriteTo):
    """The client's e-mail address is none that mail can be sent to; correct it and try again."""


@dataclass
class Letter:
    """The parts of a mail. `complaints`: what was to be said, and could not."""

    subject: str
    text: str
    html: str
    complaints: list[str] = field(default_factory=list)


def write(email: Email) -> tuple[EmailMultiAlternatives, list[str]]:
    """The message, and the overrides that failed; raises `CannotWrite`, which names the part that
    failed, and `BadAddress`."""
    invoice = email.invoice
    website, language = invoice.website, invoice.client.billing_language
    words = EmailTemplate.objects.best(website, email.key, language)
    look = look_of(website)
    with override(language):
        values = _made("What the mail says", lambda: values_of(email))
        letter = compose(email.key, values, look, words=words, domain=website.domain)
    message = EmailMultiAlternatives(
        subject=letter.subject,
        body=letter.text,
        from_email=_sender(website),
        to=[checked(email.to)],
        reply_to=[checked(website.sender_email)] if website.sender_email else None,
        # Answering machines are to be silent (RFC 3834); a repeat is known by its id.
        headers={
            "Message-ID": email.message_id,
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )
    message.attach_alternative(letter.html, "text/html")
    if look.logo:
        message.attach(_logo(look))
    if settings.INVOICE_EMAIL_ATTACH_PDF:
        message.attach(*_attachment(email))
    _made("The message", lambda: message.message().as_bytes())
    return message, letter.complaints


def test_message(letter: Letter, website: Website, to: str) -> EmailMultiAlternatives:
    """A made-up mail as it would arrive, without documents."""
    message = EmailMultiAlternatives(
        subject=f"[Test] {letter.subject}",
        body=letter.text,
        from_email=_sender(website),
        to=[checked(to)],
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
    )
    message.attach_alternative(letter.html, "text/html")
    look = look_of(website)
    if look.logo:
        message.attach(_logo(look))
    return message


def compose(
    key: str,
    values: Mapping[str, Any],
    look: Look,
    *,
    words: EmailTemplate | None = None,
    domain: str = "",
) -> Letter:
    """The parts, in the active language. What a website or a project wrote and does not work is left
    for ours, with a complaint. Raises `CannotWrite`."""
    context: dict[str, Any] = {**values, "look": look}
    context |= {"details": details(key, dict(values)), "bank_rows": bank_rows(key, dict(values))}
    letter = Letter("", "", "")
    subject = _said(words.subject if words else "", values, letter.complaints, "subject")
    body = _said(words.body if words else "", values, letter.complaints, "words")
    if body:
        context |= {"words_html": as_html(body, look.accent), "words_text": as_text(body)}
    # The website's own words go into our frame; a project's template would not know of them.
    frame = "" if body else domain
    subject = subject or _part(key, "subject.txt", context, domain, letter.complaints)
    letter.subject = header(subject)[:_LONGEST_SUBJECT]
    text = _part(key, "txt", context, frame, letter.complaints, ours=bool(body))
    letter.text = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
    letter.html = _part(key, "html", context, frame, letter.complaints, ours=bool(body))
    return letter


def checked(address: str) -> str:
    """`address`, if it is one and no more than one; raises `BadAddress`."""
    try:
        validate_email(address)
    except ValidationError:
        raise BadAddress from None
    return address


def files_of(key: str, part: str, domain: str) -> Iterator[str]:
    """The templates of a part that a project may have, the website's own first."""
    if host := domain.partition(":")[0]:
        yield f"billing/email/{host}/{key}.{part}"
    yield f"billing/email/{key}.{part}"


def render_ours(name: str, context: Mapping[str, Any]) -> str:
    """The template that comes with Tallystick, whatever a project has in its place."""
    return _ours().get_template(name).render(dict(context))


def _said(text: str, values: Mapping[str, Any], complaints: list[str], what: str) -> str:
    """The website's own words, or nothing where there are none, or none that work."""
    if not text:
        return ""
    try:
        return Wording(text, email_samples.names()).render(values).strip()
    except BillingError as error:
        _complain(complaints, f"The website's {what} could not be used, ours were: {error}")
        return ""


def _part(
    key: str,
    part: str,
    context: Mapping[str, Any],
    domain: str,
    complaints: list[str],
    *,
    ours: bool = False,
) -> str:
    for name in [] if ours else files_of(key, part, domain):
        try:
            return str(get_template(name).render(dict(context)))
        except TemplateDoesNotExist as error:
            if error.args != (name,):  # one that it asks for
                _complain(complaints, f"The template {name} failed, ours was used: {error}")
        except Exception as error:  # noqa: BLE001 - a project's template may raise whatever it likes
            _complain(complaints, f"The template {name} failed, ours was used: {reason_of(error)}")
    name = f"billing/email/{key}.{part}"
    return _made(f"The template {name}", lambda: render_ours(name, context))


def _complain(complaints: list[str], words: str) -> None:
    logger.warning("%s", words)
    if words not in complaints:
        complaints.append(words)


@cache
def _ours() -> DjangoTemplates:
    return DjangoTemplates(
        {
            "NAME": "billing-emails",
            "DIRS": [Path(__file__).parent / "templates"],
            "APP_DIRS": False,
            "OPTIONS": {"libraries": {"i18n": "django.templatetags.i18n"}},
        }
    )


def _attachment(email: Email) -> tuple[str, bytes, str]:
    invoice, payment, note = email.invoice, email.payment, email.credit_note
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", invoice.number or invoice.reference_id)
    if email.key in (PAYMENT_RECEIVED, PAYMENT_REFUNDED) and payment is not None:
        made = _made("The receipt's PDF", lambda: documents.receipt_pdf(payment))
        return f"{name}-receipt.pdf", made, "application/pdf"
    if email.key == CREDIT_NOTE and note is not None:
        made = _made("The credit note's PDF", lambda: documents.credit_note_pdf(note))
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", note.number)
        return f"{name}.pdf", made, "application/pdf"
    made = _made("The invoice's PDF", lambda: documents.invoice_pdf(invoice))
    return f"{name}.pdf", made, "application/pdf"


def _logo(look: Look) -> MIMEImage:
    picture = MIMEImage(look.logo, look.logo_type)
    picture.add_header("Content-ID", "<logo>")
    picture.add_header("Content-Disposition", "inline", filename=f"logo.{look.logo_type}")
    return picture


def _made(what: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except Exception as error:
        raise CannotWrite(f"{what} failed: {type(error).__name__}: {error}") from error


def _sender(website: Website) -> str:
    address = website.sender_email or parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    name = header(website.sender_name or website.name)
    try:
        return formataddr((name, checked(address)))
    except BadAddress:
        raise CannotWrite("The website's sender address is none; correct it.") from None
