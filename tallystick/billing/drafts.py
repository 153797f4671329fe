"""Drafting an invoice, and finding invoices."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

from django.db import IntegrityError, transaction

from tallystick.accounts.tenancy import TenantManager, TenantQuerySet
from tallystick.billing import days
from tallystick.billing import lines as invoice_lines
from tallystick.billing.errors import BillingError
from tallystick.billing.lines import InvoiceLine, LineDraft
from tallystick.billing.states import PAYABLE
from tallystick.events import record
from tallystick.kit.money import digits_of

if TYPE_CHECKING:
    from tallystick.accounts.models import Account, Website
    from tallystick.accounts.standing import Person
    from tallystick.billing.invoices import Invoice
    from tallystick.people.models import User


class KeyReused(BillingError):
    """This idempotency key was used for something else before."""


class BadKey(BillingError):
    """An idempotency key has 1 to 200 characters."""


class Details(TypedDict, total=False):
    """What may be said of a draft besides account and lines. Left out: as the website has it.

    `key` makes a repeat harmless: the second draft of one key is the first."""

    title: str
    description: str
    reference: str
    currency: str
    issue_date: date | None
    due_date: date | None
    inclusive: bool
    link_one_use: bool
    key: str
    series: str


class InvoiceQuerySet(TenantQuerySet["Invoice"]):
    def payable(self) -> Self:
        return self.filter(status__in=PAYABLE)

    def overdue(self, today: date) -> Self:
        return self.payable().filter(due_date__lt=today)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Drafts only; raises `NotDeletable` and deletes nothing when there is any other."""
        for invoice in self:
            invoice.refuse_delete()
        return super().delete()


class InvoiceManager(TenantManager["Invoice"]):
    _queryset_class = InvoiceQuerySet

    if TYPE_CHECKING:

        def of(self, website: Website | int | Collection[Website | int]) -> InvoiceQuerySet: ...
        def visible_to(self, user: Person) -> InvoiceQuerySet: ...
        def own(self, user: Person) -> InvoiceQuerySet: ...
        def everywhere(self) -> InvoiceQuerySet: ...

    def draft(
        self,
        *,
        account: Account,
        lines: Sequence[LineDraft] = (),
        by: User | None = None,
        **details: Unpack[Details],
    ) -> Invoice:
        """A new draft for `account`; raises `BadLine`, `TooLarge`, `BadDay`, `UnknownCurrency`,
        `KeyReused`."""
        make = partial(self._drafted, account, lines, by, details)
        return self._once(account, details, make)

    def bill(
        self,
        *,
        account: Account,
        lines: Sequence[LineDraft],
        by: User | None = None,
        send: bool = True,
        **details: Unpack[Details],
    ) -> Invoice:
        """Draft and issue in one go, which takes half the work of one after the other. Raises what
        either raises; a repeat of one `key` returns the first, issued."""

        def billed() -> Invoice:
            invoice, rows = self._built(account, lines, by, details)
            invoice.issue_new(rows, by=by, send=send)
            return invoice

        invoice = self._once(account, details, billed)
        if invoice.is_draft:  # of that key, by `draft`
            invoice.issue(by=by, send=send)
        return invoice

    def _once(self, account: Account, details: Details, make: Callable[[], Invoice]) -> Invoice:
        """The invoice of `details`' key: the one there is, or what `make` makes."""
        key = check_key(details.get("key", ""))
        ours = self.of(account.website_id).filter(key=key)
        if key and (earlier := ours.first()):
            return _same(earlier, account)
        try:
            with transaction.atomic():
                return make()
        except IntegrityError:
            # The same key, in the same moment, by somebody else.
            earlier = ours.first() if key else None
            if earlier is None:
                raise
            return _same(earlier, account)

    def _drafted(
        self, account: Account, lines: Sequence[LineDraft], by: User | None, details: Details
    ) -> Invoice:
        invoice, rows = self._built(account, lines, by, details)
        invoice.save(force_insert=True)
        InvoiceLine.objects.bulk_create(rows)
        record("invoice.created", invoice)
        return invoice

    def _built(
        self, account: Account, drafts: Sequence[LineDraft], by: User | None, details: Details
    ) -> tuple[Invoice, list[InvoiceLine]]:
        """Invoice and lines, added up, not stored."""
        website = account.website
        defaults = {
            "currency": account.billing_currency,
            "inclusive": website.prices_include_tax,
        }
        given = {name: value for name, value in details.items() if value not in (None, "")}
        invoice = self.model(
            website=website,
            client=account,
            rounding=website.rounding,
            issued_by=by,
            **(defaults | given),
        )
        digits_of(invoice.currency)
        days.check(invoice.issue_date, "date of issue")
        days.check(invoice.due_date, "due date")
        rows = invoice_lines.build(invoice, drafts)
        invoice.total_up(rows)
        return invoice, rows


def check_key(key: str, longest: int = 200) -> str:
    if len(key) > longest or "\0" in key:
        raise BadKey
    return key


def _same(invoice: Invoice, account: Account) -> Invoice:
    if invoice.client_id != account.pk:
        raise KeyReused
    return invoice
