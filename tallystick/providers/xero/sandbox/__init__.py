"""A Xero to try things on: written against Xero's documentation, never against our client."""

from __future__ import annotations

from tallystick.providers.xero.sandbox.limits import Limits
from tallystick.providers.xero.sandbox.stand import XeroStand

__all__ = ["Limits", "XeroStand"]
