"""What is peculiar to Xero; what every provider must do is in the shared suite, by `CASE`."""

from __future__ import annotations

from tallystick.providers.xero.tests.case import CASE

__all__ = ["CASE"]
