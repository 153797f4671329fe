"""Columns that keep money and rates exactly, and days within reason."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from tallystick.billing import days

if TYPE_CHECKING:
    DateField = models.DateField[date | None, date | None]
    DecimalField = models.DecimalField[Decimal | int | str, Decimal]
else:
    DateField, DecimalField = models.DateField, models.DecimalField


class AmountField(DecimalField):
    """An amount in major units. Four places: the finest currency has four, and so have prices."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 19)
        kwargs.setdefault("decimal_places", 4)
        super().__init__(*args, **kwargs)


class PercentField(DecimalField):
    """Per cent from 0 to 100, to four places: 8.875 for 8.875 %."""

    default_validators = [MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 7)
        kwargs.setdefault("decimal_places", 4)
        kwargs.setdefault("default", Decimal(0))
        super().__init__(*args, **kwargs)


class DayField(DateField):
    """A day that a document can bear."""

    default_validators = [MinValueValidator(days.FIRST), MaxValueValidator(days.LAST)]
