"""A go-between to try things on, with a pretended Invoice Ninja behind it: written against the
specification of the relay, never against our client."""

from __future__ import annotations

from tallystick.providers.relay.sandbox.stand import RelayStand

__all__ = ["RelayStand"]
