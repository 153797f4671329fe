"""Xero: contacts, items, invoices and payments of one organisation."""

from __future__ import annotations

from tallystick.providers.xero.provider import Xero
from tallystick.providers.xero.schema import XeroSettings

__all__ = ["Xero", "XeroSettings"]
