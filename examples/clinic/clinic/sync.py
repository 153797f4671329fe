"""What of the clinic exists in Invoice Ninja. All that Tallystick asks of a host is in this file."""

from __future__ import annotations

from decimal import Decimal

from clinic.models import Branch, Profile, TreatmentProduct
from tallystick.accounts.models import Account
from tallystick.integrations import details, sync
from tallystick.ports import records
from tallystick.ports.records import Kind


@sync.register(TreatmentProduct)
class TreatmentProductSync(sync.ModelSync):
    kind = Kind.PRODUCT
    website_path = "branch__website"
    follows = {Branch: "branch"}
    related = ("branch",)

    def to_record(self, product: TreatmentProduct) -> records.Product:
        return records.Product(
            key=self.key(product),
            code=product.code,
            name=product.title,
            description=product.leaflet,
            price=Decimal(product.fee_in_cents) / 100,
            currency="EUR",
            is_active=product.is_offered,
            details=(*details.of_product(product), ("category", product.speciality)),
        )


# Patients are told by their accounts; a change of the profile is one of the patient, too.
sync.follow(Profile, told_as=Account, path="user__profile")
