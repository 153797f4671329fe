"""Amounts and dates in templates, spelled for the `locale` of the context, else for the active language."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from babel import Locale
from django import template
from django.template import Context
from django.utils.translation import get_language

from tallystick.kit import spelling

register = template.Library()
register.filter("iban", spelling.iban)


@register.simple_tag(takes_context=True)
def amount(context: Context, value: Decimal, currency: str) -> str:
    """The figures alone; the code stands beside them."""
    return spelling.amount(value, currency, _locale(context))


@register.simple_tag(takes_context=True)
def price(context: Context, value: Decimal, currency: str) -> str:
    return spelling.price(value, currency, _locale(context))


@register.simple_tag(takes_context=True)
def number(context: Context, value: Decimal) -> str:
    return spelling.number(value, _locale(context))


@register.simple_tag(takes_context=True)
def percent(context: Context, value: Decimal) -> str:
    return spelling.percent(value, _locale(context))


@register.simple_tag(takes_context=True)
def day(context: Context, value: date, width: str = "long") -> str:
    return spelling.day(value, _locale(context), width)


def _locale(context: Context) -> Locale:
    return context.get("locale") or spelling.locale_of(get_language() or "en")
