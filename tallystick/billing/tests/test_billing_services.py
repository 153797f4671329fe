from __future__ import annotations

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from pytest_django import Settings

from tallystick.accounts.models import Account
from tallystick.billing import billing_services
from tallystick.billing.billing_services import LocalBillingService, MockBillingService, NoWebsite
from tallystick.billing.emails import Email
from tallystick.billing.invoices import Invoice
from tallystick.billing.tests import making

pytestmark = pytest.mark.django_db


def test_it_bills_and_a_repeat_makes_no_second_invoice(account: Account) -> None:
    service = billing_services.current()
    assert isinstance(service, LocalBillingService)
    today = account.website.today()
    invoices = {
        service.create_invoice(account, today, today, [making.line()], "order-1").pk
        for _ in range(2)
    }
    invoice = Invoice.objects.of(account.website).get(pk__in=invoices)
    assert (invoice.status, invoice.reference) == ("open", "order-1")
    assert not Email.objects.exists()
    service.email_invoice(invoice)
    assert Email.objects.count() == 1
    assert service.get_invoice_url(invoice) == invoice.url
    assert service.update_invoices([str(invoice.uid), "nonsense"]) == [invoice]


def test_accounts_are_opened(account: Account) -> None:
    service = LocalBillingService()
    person = making.user()
    Account.objects.everywhere().filter(user=person).delete()
    with pytest.raises(NoWebsite):
        service.update_user_billing_details(person)
    account.website.make_default()
    assert service.update_user_billing_details(person).website == account.website
    club = making.organisation(account.website)
    assert service.update_organisation_billing_details(club).organisation == club


def test_the_mock_mails_nobody(invoice: Invoice) -> None:
    before = Email.objects.count()
    service = MockBillingService()
    service.email_invoice(invoice)
    assert Email.objects.count() == before
    assert service.get_invoice_url(invoice) == (
        f"https://billing.invalid/invoices/{invoice.reference_id}"
    )


@pytest.mark.parametrize(
    "path", ["nowhere.Service", "decimal.Decimal", "tallystick.billing.billing_services.missing"]
)
def test_a_wrong_class_is_one_clear_line(settings: Settings, path: str) -> None:
    settings.BILLING_SERVICE_CLASS = path
    with pytest.raises(SystemCheckError, match="BILLING_SERVICE_CLASS: "):
        call_command("check")
