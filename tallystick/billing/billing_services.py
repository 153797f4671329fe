"""What a site calls to bill somebody, whichever accounting system stands behind it.

`BILLING_SERVICE_CLASS` names the class. Those of outside systems are in `integrations`.
"""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from tallystick.accounts.models import Account, Organisation, Website
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice
from tallystick.billing.lines import LineDraft

if TYPE_CHECKING:
    from tallystick.people.models import User


class NoWebsite(BillingError):
    """There is no default website to bill for; mark one as the default."""


class BillingService(ABC):
    """`line_items` are `LineDraft`s; `reference` is the caller's own word, such as an order: the
    same one never makes a second invoice."""

    @abstractmethod
    def update_user_billing_details(self, user: User) -> Account:
        """Create or update the contact of the user's account."""

    @abstractmethod
    def update_organisation_billing_details(self, organisation: Organisation) -> Account:
        """Create or update the contact of the organisation's account."""

    @abstractmethod
    def create_invoice(
        self,
        account: Account,
        date: datetime.date,
        due_date: datetime.date,
        line_items: Sequence[LineDraft],
        reference: str,
    ) -> Invoice:
        """The issued invoice; a repeat with the same `reference` returns the first."""

    @abstractmethod
    def email_invoice(self, invoice: Invoice) -> None:
        """Have the invoice sent to the client."""

    @abstractmethod
    def update_invoices(self, billing_service_invoice_ids: Iterable[str]) -> list[Invoice]:
        """Bring these invoices up to date with the outside system; returns those found."""

    @abstractmethod
    def get_invoice_url(self, invoice: Invoice) -> str | None:
        """The page on which the client sees the invoice."""


class LocalBillingService(BillingService):
    """No outside system: accounts, invoices and e-mails are our own."""

    def update_user_billing_details(self, user: User) -> Account:
        website = Website.objects.default()
        if website is None:
            raise NoWebsite
        return Account.open_for_user(user, website)

    def update_organisation_billing_details(self, organisation: Organisation) -> Account:
        return Account.open_for_organisation(organisation)

    def create_invoice(
        self,
        account: Account,
        date: datetime.date,
        due_date: datetime.date,
        line_items: Sequence[LineDraft],
        reference: str,
    ) -> Invoice:
        return Invoice.objects.bill(
            account=account,
            lines=line_items,
            send=False,
            issue_date=date,
            due_date=due_date,
            reference=reference,
            key=f"service:{reference}" if reference else "",
        )

    def email_invoice(self, invoice: Invoice) -> None:
        invoice.send_email()

    def update_invoices(self, billing_service_invoice_ids: Iterable[str]) -> list[Invoice]:
        uids = [uid for text in billing_service_invoice_ids if (uid := _uid(text))]
        return list(Invoice.objects.everywhere().filter(uid__in=uids))

    def get_invoice_url(self, invoice: Invoice) -> str | None:
        return None if invoice.is_draft else invoice.url


class MockBillingService(LocalBillingService):
    """For trying out and for tests of a host: mails nobody, and its addresses are predictable."""

    def email_invoice(self, invoice: Invoice) -> None:
        del invoice

    def get_invoice_url(self, invoice: Invoice) -> str | None:
        return f"https://billing.invalid/invoices/{invoice.reference_id}"


def service_class() -> type[BillingService]:
    """The class that the setting names; `ImportError` or `TypeError` when it is none."""
    found = import_string(settings.BILLING_SERVICE_CLASS)
    if not (isinstance(found, type) and issubclass(found, BillingService)):
        raise TypeError(f"{settings.BILLING_SERVICE_CLASS} is not a BillingService.")
    return found


def current() -> BillingService:
    return service_class()()


def _uid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
