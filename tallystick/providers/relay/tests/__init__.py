"""What is peculiar to the relay; what every provider must do is in the shared suite, by `CASE`."""

from __future__ import annotations

from tallystick.providers.relay.tests.case import CASE

__all__ = ["CASE"]
