"""What billing holds of a person; see `accounts.personal`. Issued documents, payments and ledgers are
kept as long as the website's law asks; everything around them goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db import models
from django.db.models import F, Q

from tallystick.accounts.idempotency import KeptAnswer
from tallystick.accounts.personal import Holding, Kept, Whom, holds_nothing, register
from tallystick.billing import link_log, retention, tokens
from tallystick.billing.banking.formats import BankFile
from tallystick.billing.banking.proposals import BankProposal
from tallystick.billing.banking.statements import BankStatement
from tallystick.billing.banking.transactions import OPEN, BankTransaction
from tallystick.billing.credit_notes import CreditNote, CreditNoteLine
from tallystick.billing.disputes import Dispute
from tallystick.billing.emails import Email, EmailAttempt
from tallystick.billing.holds import WalletHold
from tallystick.billing.invoices import Invoice
from tallystick.billing.lines import InvoiceLine
from tallystick.billing.link_log import LinkEvent
from tallystick.billing.paylinks import RetiredToken
from tallystick.billing.payment_rows import Payment
from tallystick.billing.refunds import Refund
from tallystick.billing.states import PaymentStatus
from tallystick.billing.wallets import Wallet, WalletEntry
from tallystick.events.models import Event
from tallystick.kit import clock
from tallystick.queue.rows import State

Rows = Any
_BOOKS = "the books are kept as long as the law asks"
_DOCUMENTS = "issued documents are kept as long as the law asks, with the buyer as issued"
_SUPPRESSED = "Its recipient was erased."
_DOCUMENT = (
    *("number", "status", "title", "description", "currency", "subtotal", "discount", "tax"),
    *("amount", "issue_date", "buyer", "seller"),
)
_LINE = ("description", "quantity", "unit_price", "tax_percent", "amount")


def _invoices(whom: Whom) -> Rows:
    return Invoice.objects.everywhere().filter(client__in=whom.accounts)


def _issued(whom: Whom) -> Rows:
    return _invoices(whom).exclude(status=Invoice.Status.DRAFT)


def _erase_drafts(whom: Whom) -> int:
    """Drafts go; the links of what is issued open nothing any more."""
    if not whom.keep_contact:
        alive = _issued(whom).filter(token_revoked_at=None)
        alive.update(token_revoked_at=clock.now())
    drafts = _invoices(whom).filter(status=Invoice.Status.DRAFT)
    count: int = drafts.count()
    drafts.delete()
    return count


def _open_invoices(whom: Whom) -> Iterator[str]:
    expected = (Invoice.Status.OPEN, Invoice.Status.PARTIALLY_PAID)
    for invoice in _invoices(whom).filter(status__in=expected).order_by("pk"):
        yield f"{invoice.number} is open: {invoice.due} is due."


def _payments(whom: Whom) -> Rows:
    return Payment.objects.everywhere().filter(account__in=whom.accounts)


def _open_payments(whom: Whom) -> Iterator[str]:
    under_way = (PaymentStatus.PENDING, PaymentStatus.PROCESSING, PaymentStatus.DISPUTED)
    for payment in _payments(whom).filter(status__in=under_way).order_by("pk"):
        yield f"A payment of {payment.money} is {payment.get_status_display()}."


def _refunds(whom: Whom) -> Rows:
    return Refund.objects.everywhere().filter(payment__account__in=whom.accounts)


def _open_refunds(whom: Whom) -> Iterator[str]:
    for refund in _refunds(whom).filter(succeeded_at=None).exclude(status="failed"):
        yield f"A refund of {refund.money} is under way."


def _wallets(whom: Whom) -> Rows:
    return Wallet.objects.everywhere().filter(account__in=whom.accounts)


def _full_wallets(whom: Whom) -> Iterator[str]:
    for wallet in _wallets(whom).exclude(balance=0):
        yield f"There are {wallet.money} in the wallet."


def _emails(whom: Whom) -> Rows:
    return Email.objects.filter(invoice__client__in=whom.accounts)


def _erase_emails(whom: Whom) -> int:
    if whom.keep_contact:
        return 0
    emails = _emails(whom)
    waiting = emails.exclude(state__in=(State.DONE, State.DEAD))
    waiting.update(state=State.DONE, outcome=Email.Outcome.SUPPRESSED, fence=F("fence") + 1)
    suppressed = emails.filter(outcome=Email.Outcome.SUPPRESSED)
    tries = EmailAttempt.objects.filter(email__invoice__client__in=whom.accounts)
    tries.exclude(words="").update(words="")
    count: int = emails.update(to="", subject="", note="", last_error="")
    suppressed.update(note=_SUPPRESSED)
    return count


def _link_events(whom: Whom) -> Rows:
    mine = Q(invoice__client__in=whom.accounts, actor_kind="link")
    by_key = Q(actor_kind="api_key", actor_id__in=[str(pk) for pk in whom.api_keys])
    by_them = Q(actor_kind="user", actor_id__in=[str(pk) for pk in whom.users])
    return LinkEvent.objects.everywhere().filter(mine | by_them | by_key)


def _acts_on_their_links(whom: Whom) -> Rows:
    """What staff wrote when they renewed a link."""
    acts = LinkEvent.objects.everywhere().filter(kind__in=link_log.ACTS)
    return acts.filter(invoice__client__in=whom.accounts)


def _erase_link_events(whom: Whom) -> int:
    _acts_on_their_links(whom).exclude(note="").update(note="")
    return link_log.forget(_link_events(whom))


def _bank_lines(whom: Whom) -> Rows:
    """Those that were booked for them, and those not booked that name them or come from an account
    that nobody but them has paid from."""
    lines = BankTransaction.objects.everywhere()
    booked = Q(payment__account__in=whom.accounts) | Q(refund__payment__account__in=whom.accounts)
    ibans = set(lines.filter(booked).exclude(iban="").values_list("iban", flat=True))
    others = lines.filter(iban__in=ibans, payment__isnull=False)
    ibans -= set(others.exclude(booked).values_list("iban", flat=True))
    theirs = Q(iban__in=ibans)
    for name in whom.names:
        theirs |= Q(name__iexact=name) | Q(text__icontains=name)
    sites = [whom.account.website_id] if whom.account else []
    return lines.filter(booked | (theirs & Q(website__in=sites)))


def _unbooked(whom: Whom) -> Rows:
    return _bank_lines(whom).filter(payment=None, refund=None)


def _erase_bank_lines(whom: Whom) -> int:
    # Their identifiers first: the names are what they are found by.
    found = list(_unbooked(whom).values_list("pk", flat=True))
    rows = BankTransaction.objects.everywhere().filter(pk__in=found)
    return int(rows.update(structured="", **retention.BANK_LINE))


def _open_bank_lines(whom: Whom) -> Iterator[str]:
    for line in _unbooked(whom).filter(state__in=OPEN, amount__gt=0):
        yield f"{line.money} came by bank on {line.booked_on} and is not booked."


def _proposals(whom: Whom) -> Rows:
    mine = Q(account__in=whom.accounts) | Q(line__in=_bank_lines(whom))
    return BankProposal.objects.everywhere().filter(mine)


def _bank_files(whom: Whom) -> Rows:
    """Uploaded, and not read yet: those in which they are named."""
    files = BankFile.objects.everywhere()
    marks = [name.encode() for name in whom.names]
    naming = [file.pk for file in files if any(mark in bytes(file.data) for mark in marks)]
    return BankFile.objects.everywhere().filter(pk__in=naming)


def _link_answers(whom: Whom) -> Rows:
    """What the API has answered to the holders of their links."""
    digests = [tokens.digest(token) for token in _tokens(whom)]
    retired = RetiredToken.objects.filter(invoice__client__in=whom.accounts)
    digests += retired.values_list("digest", flat=True)
    return KeptAnswer.objects.filter(owner__in=[f"link:{digest}" for digest in digests])


def _tokens(whom: Whom) -> Rows:
    return _issued(whom).values_list("payment_token", flat=True)


def _delete(rows: Rows) -> int:
    count: int = rows.count()
    rows.delete()
    return count


def _invoice_journal(whom: Whom) -> Rows:
    """What happened to their documents and payments."""
    about = Q(pk__in=())
    for model, rows in (
        (Invoice, _invoices(whom)),
        (Payment, _payments(whom)),
        (CreditNote, CreditNote.objects.everywhere().filter(client__in=whom.accounts)),
    ):
        ids = [str(pk) for pk in rows.values_list("pk", flat=True)]
        about |= Q(subject_type=model._meta.label_lower, subject_id__in=ids)
    return Event.objects.everywhere().filter(about)


def _keeping(
    section: str, rows: Callable[[Whom], Rows], day: str, why: str = _BOOKS
) -> Callable[[Whom], Iterable[Kept]]:
    return lambda whom: retention.kept(section, rows(whom), day, why)


def _of(model: type[models.Model], path: str) -> Callable[[Whom], Rows]:
    def rows(whom: Whom) -> Rows:
        plain: Rows = models.QuerySet(model)
        return plain.filter(**{f"{path}__in": whom.accounts})

    return rows


def install() -> None:
    """Say what is held. Called when the app is ready; an export has its sections in this order."""
    _install_documents()
    _install_money()
    _install_mail()
    _install_bank()
    register(
        Holding(
            section="journal_of_documents",
            model=Event,
            rows=_invoice_journal,
            show=["at", "kind", "actor_kind", "actor_label", "change"],
        ),
    )
    holds_nothing("the seller's own", "billing.Product", "billing.TaxRate", "billing.EmailTemplate")
    holds_nothing("numbers", "billing.Series", "billing.Counter", "billing.ReminderDay")
    holds_nothing("the names of columns", "billing.BankFormat")
    holds_nothing("sums", "billing.StatDelta", "billing.StatDay", "billing.StatMonth")
    holds_nothing("a digest of a random token", "billing.RetiredToken")
    holds_nothing("which payment went where", "billing.Allocation", "billing.PaymentShare")
    holds_nothing("the file as a whole; who paid is in its lines", BankStatement._meta.label)


def _install_documents() -> None:
    notes = _of(CreditNote, "client")
    register(
        Holding(
            section="invoices",
            model=Invoice,
            rows=_invoices,
            show=["uid", "reference_id", "reference", *_DOCUMENT, "due_date", "paid_at", "reason"],
            erase=_erase_drafts,
            keep=_keeping("invoices", _issued, "issue_date", _DOCUMENTS),
            hinders=_open_invoices,
        ),
        Holding(
            section="invoice_lines",
            model=InvoiceLine,
            rows=_of(InvoiceLine, "invoice__client"),
            show=["invoice.number", *_LINE],
        ),
        Holding(
            section="credit_notes",
            model=CreditNote,
            rows=notes,
            show=[
                "uid",
                "invoice.number",
                "reason",
                *(each for each in _DOCUMENT if each != "status"),
            ],
            keep=_keeping("credit_notes", notes, "issue_date", _DOCUMENTS),
        ),
        Holding(
            section="credit_note_lines",
            model=CreditNoteLine,
            rows=_of(CreditNoteLine, "credit_note__client"),
            show=["credit_note.number", *_LINE],
        ),
    )


def _install_money() -> None:
    register(
        Holding(
            section="payments",
            model=Payment,
            rows=_payments,
            show=["uid", "method", "amount", "currency", "status", "reference", "received_on"],
            keep=_keeping("payments", _payments, "created_at"),
            hinders=_open_payments,
        ),
        Holding(
            section="refunds",
            model=Refund,
            rows=_refunds,
            show=["uid", "amount", "currency", "status", "reason", "reference", "created_at"],
            keep=_keeping("refunds", _refunds, "created_at"),
            hinders=_open_refunds,
        ),
        Holding(
            section="disputes",
            model=Dispute,
            rows=_of(Dispute, "payment__account"),
            show=["state", "reason", "reference", "amount", "opened_at", "closed_at"],
        ),
        Holding(
            section="wallets",
            model=Wallet,
            rows=_wallets,
            show=["uid", "currency", "balance"],
            hinders=_full_wallets,
        ),
        Holding(
            section="wallet_entries",
            model=WalletEntry,
            rows=_of(WalletEntry, "wallet__account"),
            show=["wallet.currency", "amount", "balance_after", "reason", "note", "created_at"],
        ),
        Holding(
            section="wallet_holds",
            model=WalletHold,
            rows=_of(WalletHold, "wallet__account"),
            show=["amount", "state", "reason", "created_at"],
        ),
    )


def _install_mail() -> None:
    register(
        Holding(
            section="emails",
            model=Email,
            rows=_emails,
            show=["key", "to", "subject", "outcome", "created_at", "sent_at"],
            erase=_erase_emails,
        ),
        Holding(
            section="email_tries",
            model=EmailAttempt,
            rows=_of(EmailAttempt, "email__invoice__client"),
            show=["email.uid", "at", "result", "words"],
        ),
        Holding(
            section="link_log",
            model=LinkEvent,
            rows=_link_events,
            show=["invoice.number", "at", "kind", "address_shown", "agent", "note"],
            erase=_erase_link_events,
        ),
        Holding(
            section="link_acts",
            model=LinkEvent,
            rows=_acts_on_their_links,
            show=["invoice.number", "at", "kind", "actor_label", "note"],
        ),
        Holding(
            section="stored_link_answers",
            model=KeptAnswer,
            rows=_link_answers,
            show=["key", "status", "created_at"],
            erase=lambda whom: _delete(_link_answers(whom)),
        ),
    )


def _install_bank() -> None:
    register(
        Holding(
            section="bank_files",
            model=BankFile,
            rows=_bank_files,
            show=["name", "created_at"],
            erase=lambda whom: _delete(_bank_files(whom)),
        ),
        Holding(
            section="bank_proposals",
            model=BankProposal,
            rows=_proposals,
            show=["line.booked_on", "kind", "reasons"],
            erase=lambda whom: _delete(_proposals(whom)),
        ),
        Holding(
            section="bank_lines",
            model=BankTransaction,
            rows=_bank_lines,
            show=["booked_on", "amount", "currency", "name", "iban", "text", "note", "state"],
            erase=_erase_bank_lines,
            keep=_keeping(
                "bank_lines",
                lambda whom: _bank_lines(whom).exclude(payment=None, refund=None),
                "booked_on",
            ),
            hinders=_open_bank_lines,
        ),
    )
