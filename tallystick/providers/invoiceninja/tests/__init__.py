"""What is peculiar to Invoice Ninja; what every provider must do is in the shared suite, by `CASE`."""

from __future__ import annotations

from tallystick.providers.invoiceninja.tests.case import CASE

__all__ = ["CASE"]
