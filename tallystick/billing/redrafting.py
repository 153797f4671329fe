"""Drafts made from what there is: one edited as a whole, or a copy of an invoice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, TypedDict, Unpack

from django.db import transaction

from tallystick.billing import days
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice
from tallystick.billing.lines import InvoiceLine, LineDraft
from tallystick.events import record
from tallystick.kit.money import digits_of

if TYPE_CHECKING:
    from tallystick.accounts.models import Account
    from tallystick.people.models import User


class EditedMeanwhile(BillingError):
    """Somebody else has changed this draft since you opened it."""


class OtherWebsite(BillingError):
    """The client belongs to another website than the draft."""


class Content(TypedDict, total=False):
    """What is written on a draft besides its lines. What is left out stays."""

    title: str
    description: str
    reference: str
    currency: str
    inclusive: bool
    issue_date: date | None
    due_date: date | None


def revise(
    invoice: Invoice,
    lines: Sequence[LineDraft] | None,
    *,
    client: Account | None = None,
    seen: datetime | None = None,
    **content: Unpack[Content],
) -> None:
    """Write the draft anew, for another `client` where one is named; `lines` of None stay as they
    are by then. `seen`: when the version that was edited had been stored. Raises `NotADraft`,
    `EditedMeanwhile`, `OtherWebsite`, `BadDay`, `UnknownCurrency`, and what `set_lines` raises."""
    with transaction.atomic():
        invoice.lock()
        invoice.refuse_edit()
        if seen is not None and seen != invoice.updated_at:
            raise EditedMeanwhile
        written = {**content, **({"client": client} if client else {})}
        before = {name: getattr(invoice, name) for name in written}
        for name, value in written.items():
            setattr(invoice, name, value)
        if invoice.client.website_id != invoice.website_id:
            raise OtherWebsite
        digits_of(invoice.currency)
        days.check(invoice.issue_date, "date of issue")
        days.check(invoice.due_date, "due date")
        invoice.save(update_fields=[*written, "updated_at"])
        invoice.set_lines(_kept(invoice) if lines is None else lines)
        changed = sorted(name for name, value in written.items() if before[name] != value)
        changed += ["lines"] if lines is not None else []
        record("invoice.revised", invoice, change={"fields": changed})


def revise_and_issue(  # noqa: PLR0913 - what is written, and who issues it
    invoice: Invoice,
    lines: Sequence[LineDraft],
    content: Content,
    *,
    client: Account,
    by: User | None,
    seen: datetime | None = None,
    send: bool | None = None,
) -> None:
    """Write the draft anew and, unless `send` is None, issue it: both or neither. Raises what either
    raises."""
    with transaction.atomic():
        revise(invoice, lines, client=client, seen=seen, **content)
        if send is not None:
            invoice.issue(by=by, send=send)


def duplicate(invoice: Invoice, *, by: User | None, key: str = "") -> Invoice:
    """A new draft that says the same, dated as if written today. A repeat of one `key` returns the
    first."""
    return Invoice.objects.draft(
        account=invoice.client,
        lines=_kept(invoice),
        by=by,
        title=invoice.title,
        description=invoice.description,
        reference=invoice.reference,
        currency=invoice.currency,
        inclusive=invoice.inclusive,
        key=key,
    )


def _kept(invoice: Invoice) -> list[LineDraft]:
    """The lines as they are, to be written anew."""
    return [_again(line) for line in invoice.lines.select_related("product", "tax_rate")]


def _again(line: InvoiceLine) -> LineDraft:
    return LineDraft(
        description=line.description,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount_percent=line.discount_percent,
        tax_rate=line.tax_rate,
        product=line.product,
    )
