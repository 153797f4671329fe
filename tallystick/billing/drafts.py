"""Drafting an invoice, and finding invoices."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

from django.db import IntegrityError, transaction

from tallystick.accounts.tenancy import TenantManager, TenantQuerySet
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
    _queryset_class = InvoiceQuerySet  # type: ignore[assignment] # what `from_queryset` does

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
        """A new draft for `account`; raises `BadLine`, `TooLarge`, `UnknownCurrency`, `KeyReused`."""
        key = check_key(details.pop("key", ""))
        if key and (earlier := self.of(account.website_id).filter(key=key).first()):
            return _same(earlier, account)
        try:
            with transaction.atomic():
                return self._drafted(account, lines, by, key, details)
        except IntegrityError:
            # The same key, in the same moment, by somebody else.
            earlier = self.of(account.website_id).filter(key=key).first() if key else None
            if earlier is None:
                raise
            return _same(earlier, account)

    def _drafted(
        self,
        account: Account,
        drafts: Sequence[LineDraft],
        by: User | None,
        key: str,
        details: Details,
    ) -> Invoice:
        website = account.website
        currency = details.pop("currency", "") or account.billing_currency
        digits_of(currency)
        invoice = self.model(
            website=website,
            client=account,
            currency=currency,
            inclusive=details.pop("inclusive", website.prices_include_tax),
            rounding=website.rounding,
            issued_by=by,
            **details,
        )
        if key:
            invoice.key = key
        rows = invoice_lines.build(invoice, drafts)
        invoice.total_up(rows)
        invoice.save(force_insert=True)
        InvoiceLine.objects.bulk_create(rows)
        record("invoice.created", invoice)
        return invoice


def check_key(key: str, longest: int = 200) -> str:
    if len(key) > longest or "\0" in key:
        raise BadKey
    return key


def _same(invoice: Invoice, account: Account) -> Invoice:
    if invoice.client_id != account.pk:
        raise KeyReused
    return invoice
