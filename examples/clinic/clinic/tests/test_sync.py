"""The clinic's patients and treatments reach Invoice Ninja as its settings say, each exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from clinic.models import Branch, Patient, Profile, TreatmentProduct
from tallystick.accounts.models import Website
from tallystick.integrations import clients, environment
from tallystick.integrations.connections import Connection
from tallystick.integrations.turns import Turn
from tallystick.integrations.work import serve
from tallystick.ports.sandboxing import transport
from tallystick.providers.invoiceninja.sandbox import InvoiceNinjaStand

pytestmark = pytest.mark.django_db


@pytest.fixture
def ninja() -> Iterator[InvoiceNinjaStand]:
    stand = InvoiceNinjaStand()
    with clients.using(lambda connection: transport(stand)):
        yield stand


@pytest.fixture
def connection(db: None, ninja: InvoiceNinjaStand) -> Connection:
    website = Website.objects.create(
        name="Clinic", domain="clinic.example", currency="EUR", country="DE", is_default=True
    )
    return Connection.objects.create(
        website=website,
        type="INVOICE_NINJA",
        name="Invoice Ninja",
        credentials={"api_token": ninja.token},
        custom_data={
            "api_url": "https://invoices.example.com",
            "request_delay": 0,
            "client_fields": {"custom_value3": "chart_number"},
        },
    )


@pytest.fixture
def branch(connection: Connection) -> Branch:
    return Branch.objects.create(name="Old Town", website=connection.website)


def work(connection: Connection) -> None:
    assert serve(Turn(Connection.objects.everywhere().get(pk=connection.pk), "test"))


def row(stand: InvoiceNinjaStand, kind: str, **fields: Any) -> dict[str, Any]:
    """The only one there with these fields."""
    (found,) = (each for each in stand.company.shelves[kind] if fields.items() <= each.items())
    return found


def patient() -> Patient:
    found = Patient.objects.create_user(
        "ada", "ada@example.org", first_name="Ada", last_name="Berg", chart_number="C-17"
    )
    found.allergies = "canary"
    found.save()
    Profile.objects.create(patient=found, mobile="+49 30 1234", passport_country="DE")
    return found


def test_a_patient_is_a_client_with_the_clinics_own_fields(
    connection: Connection, ninja: InvoiceNinjaStand
) -> None:
    ada = patient()
    work(connection)
    assert ada.invoiceninja_sync_status == "synced"  # type: ignore[attr-defined] # attached
    there = row(ninja, "clients", id_number=ada.account.customer_key)  # type: ignore[attr-defined] # reverse of OneToOne
    assert there["name"] == "Ada Berg"
    assert there["contacts"][0]["phone"] == "+49 30 1234"
    assert there["custom_value3"] == "C-17"
    assert there["custom_value4"] == str(ada.pk)
    assert "canary" not in str(there)


def test_a_change_of_the_profile_is_one_of_the_patient(
    connection: Connection, ninja: InvoiceNinjaStand
) -> None:
    ada = patient()
    work(connection)
    profile = Profile.objects.get(patient=ada)
    profile.mobile = "+49 30 99"
    profile.save()
    work(connection)
    there = row(ninja, "clients", id_number=ada.account.customer_key)  # type: ignore[attr-defined] # reverse of OneToOne
    assert there["contacts"][0]["phone"] == "+49 30 99"
    assert sum(ninja.ledger.counts("clients").values()) == 1


def test_treatments_go_by_the_branchs_website(
    connection: Connection, ninja: InvoiceNinjaStand, branch: Branch
) -> None:
    crown = TreatmentProduct.objects.create(
        branch=branch, code="crown", title="Crown", speciality="Dental", fee_in_cents=19_000
    )
    elsewhere = Branch.objects.create(
        name="Elsewhere",
        website=Website.objects.create(
            name="Other", domain="other.example", currency="EUR", country="DE"
        ),
    )
    TreatmentProduct.objects.create(branch=elsewhere, code="scan", title="Scan", fee_in_cents=1)
    work(connection)
    there = row(ninja, "products", product_key="crown")
    assert float(there["price"]) == 190.0
    assert there["custom_value1"] == "Dental"
    assert there["custom_value4"] == f"Django_ID_{crown.pk}"
    assert ninja.ledger.counts("products") == {"crown": 1}
    assert crown.invoiceninja_sync_status == "synced"  # type: ignore[attr-defined] # attached
    crown.delete()
    work(connection)
    assert row(ninja, "products", product_key="crown")["archived_at"]


def test_the_commands_know_the_treatments(
    connection: Connection, ninja: InvoiceNinjaStand, branch: Branch
) -> None:
    TreatmentProduct.objects.create(branch=branch, code="crown", title="Crown", fee_in_cents=19_000)
    out = StringIO()
    call_command("sync_products_to_invoice_ninja", "--all", stdout=out)
    assert ninja.ledger.counts("products") == {"crown": 1}
    call_command("check_products", stdout=out)
    assert "Crown" in out.getvalue()


def test_the_admin_shows_how_they_stand(connection: Connection, client: Client) -> None:
    ada = patient()
    work(connection)
    client.force_login(Patient.objects.create_superuser("boss", "boss@example.org", "x"))
    for path in ("patient", f"patient/{ada.pk}/change", "treatmentproduct"):
        answer = client.get(f"/admin/clinic/{path}/")
        assert answer.status_code == 200
    assert "synced" in client.get("/admin/clinic/patient/").content.decode()


def test_what_is_furnished_is_sent_by_what_the_settings_say(
    db: None, ninja: InvoiceNinjaStand, settings: Settings
) -> None:
    settings.INVOICE_NINJA = {
        **settings.INVOICE_NINJA,
        "api_url": "https://invoices.example.com",
        "api_token": ninja.token,
    }
    for _ in range(2):
        call_command("furnish", stdout=StringIO())
    (connection,) = environment.connect()
    work(connection)  # what is there already is seen first
    call_command("sync", "--missing", stdout=StringIO())
    assert sorted(ninja.ledger.counts("products")) == ["crown", "implant", "scan"]
    assert len(ninja.ledger.counts("clients")) == 2
    assert row(ninja, "clients", name="Ada Berg")["custom_value3"] == "C-17"


def test_a_profile_made_later_counts(connection: Connection, ninja: InvoiceNinjaStand) -> None:
    ada = Patient.objects.create_user("ada", "ada@example.org", first_name="Ada", last_name="Berg")
    work(connection)
    Profile.objects.create(patient=ada, mobile="+49 30 1234", passport_country="DE")
    work(connection)
    there = row(ninja, "clients", id_number=ada.account.customer_key)  # type: ignore[attr-defined] # reverse of OneToOne
    assert there["contacts"][0]["phone"] == "+49 30 1234"


def test_a_branch_that_moves_to_another_website_takes_its_treatments_along(
    connection: Connection, ninja: InvoiceNinjaStand, branch: Branch
) -> None:
    TreatmentProduct.objects.create(branch=branch, code="crown", title="Crown", fee_in_cents=1)
    work(connection)
    branch.website = Website.objects.create(
        name="Other", domain="other.example", currency="EUR", country="DE"
    )
    branch.save()
    work(connection)
    assert row(ninja, "products", product_key="crown")["archived_at"]


def test_a_page_of_the_admin_takes_the_same_queries_however_long_it_is(
    branch: Branch, admin_client: Client
) -> None:
    counts = []
    for many in (2, 10):
        for number in range(many):
            Patient.objects.create_user(f"p-{many}-{number}")
            TreatmentProduct.objects.create(
                branch=branch, code=f"c-{many}-{number}", title="Crown", fee_in_cents=1
            )
        for name in ("patient", "treatmentproduct"):
            with CaptureQueriesContext(database) as captured:
                page = admin_client.get(f"/admin/clinic/{name}/")
            assert "pending" in page.content.decode().lower()
            counts.append(len(captured))
    assert counts[:2] == counts[2:]
