"""The clinic's models, as they were before Tallystick came."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class Branch(models.Model):
    """Where patients are treated; it is billed under the brand of a Tallystick website."""

    name = models.CharField(max_length=100)
    website = models.ForeignKey(
        "accounts.Website", on_delete=models.PROTECT, null=True, related_name="branches"
    )

    def __str__(self) -> str:
        return self.name


class Patient(AbstractUser):
    """Signs in, and is billed. What the clinic knows of their health is nobody's business."""

    chart_number = models.CharField(max_length=20, unique=True, null=True)  # noqa: DJ001 - unique where known
    born_on = models.DateField(null=True, blank=True)
    allergies = models.TextField(blank=True)


class Profile(models.Model):
    patient = models.OneToOneField(Patient, on_delete=models.CASCADE, related_name="profile")
    mobile = models.CharField(max_length=40, blank=True)
    passport_country = models.CharField(max_length=2, blank=True)

    def __str__(self) -> str:
        return str(self.patient)


class TreatmentProduct(models.Model):
    """What is done to patients, by the session. Fees are in cents of euros."""

    branch = models.ForeignKey(Branch, on_delete=models.CASCADE, related_name="treatments")
    code = models.SlugField(max_length=120, unique=True)
    title = models.CharField(max_length=200)
    leaflet = models.TextField(blank=True)
    speciality = models.CharField(max_length=60, blank=True)
    fee_in_cents = models.PositiveIntegerField()
    is_offered = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.title
