"""Product: what is sold."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.validators import FileExtensionValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.text import slugify

from tallystick.accounts.tenancy import TenantModel
from tallystick.billing.fields import AmountField, PercentField
from tallystick.kit.db.validators import validate_country, validate_currency
from tallystick.kit.money import Money

IMAGE_TYPES = ["png", "jpg", "jpeg", "webp", "gif"]
_SLUG_LENGTH = 120


class Product(TenantModel):
    """Something with a price. The price is per unit, finer than the currency where that is wanted,
    and holds the tax where the website's prices do."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=_SLUG_LENGTH, blank=True)
    description = models.TextField(blank=True)
    category = models.CharField(max_length=100, blank=True)
    country_of_origin = models.CharField(max_length=2, blank=True, validators=[validate_country])
    price = AmountField(validators=[MinValueValidator(0)])
    currency = models.CharField(max_length=3, validators=[validate_currency])
    max_discount_percentage = PercentField(default=100)
    tax_rate = models.ForeignKey(
        "billing.TaxRate",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="products",
    )
    is_active = models.BooleanField(default=True)
    image = models.FileField(
        upload_to="products/", blank=True, validators=[FileExtensionValidator(IMAGE_TYPES)]
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["website", "slug"], name="product_slug_once"),
            models.CheckConstraint(condition=Q(price__gte=0), name="product_price"),
            models.CheckConstraint(
                condition=Q(max_discount_percentage__gte=0, max_discount_percentage__lte=100),
                name="product_max_discount",
            ),
        ]
        indexes = [models.Index(fields=["website", "name"], name="product_by_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def code(self) -> str:
        """What accounting systems call it."""
        return self.slug

    @property
    def unit_price(self) -> Money:
        return Money(self.price, self.currency)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.slug:
            self.slug = self._free_slug()
        super().save(*args, **kwargs)

    def _free_slug(self) -> str:
        """The name as a slug, with a suffix when another product has it."""
        slug = slugify(self.name)[:_SLUG_LENGTH] or "product"
        others = Product.objects.of(self.website).exclude(pk=self.pk)
        if others.filter(slug=slug).exists():
            suffix = f"-{self.uid.hex[:8]}"
            slug = slug[: _SLUG_LENGTH - len(suffix)] + suffix
        return slug
