from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from clinic.models import Branch, Patient, Profile, TreatmentProduct
from tallystick.accounts.models import Website

TREATMENTS = [("crown", "Crown", 19_000), ("implant", "Implant", 85_000), ("scan", "Scan", 9_000)]
PATIENTS = [("ada", "Ada", "Berg", "C-17"), ("bela", "Béla", "Kovács", "C-18")]


class Command(BaseCommand):
    help = "Something to try it on: the clinic's website, a branch, three treatments, two patients."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        del args, options
        website, _ = Website.objects.get_or_create(
            domain="localhost:8000",
            defaults={"name": "Clinic", "currency": "EUR", "country": "DE", "is_default": True},
        )
        branch, _ = Branch.objects.get_or_create(name="Old Town", website=website)
        for code, title, fee in TREATMENTS:
            TreatmentProduct.objects.get_or_create(
                code=code, defaults={"branch": branch, "title": title, "fee_in_cents": fee}
            )
        for username, first, last, chart in PATIENTS:
            patient, _ = Patient.objects.get_or_create(
                username=username,
                defaults={
                    "first_name": first,
                    "last_name": last,
                    "email": f"{username}@example.org",
                    "chart_number": chart,
                },
            )
            Profile.objects.get_or_create(patient=patient, defaults={"mobile": "+49 30 1234"})
        self.stdout.write("The clinic has a website, a branch, three treatments and two patients.")
