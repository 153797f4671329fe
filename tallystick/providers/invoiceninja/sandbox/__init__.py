"""An Invoice Ninja to try things on: written against its documentation, never against our client."""

from __future__ import annotations

from tallystick.providers.invoiceninja.sandbox.limits import Limits
from tallystick.providers.invoiceninja.sandbox.stand import InvoiceNinjaStand

__all__ = ["InvoiceNinjaStand", "Limits"]
