"""Invoice Ninja by relay: signed webhooks to a go-between, which calls back when it is done."""

from __future__ import annotations

from tallystick.providers.relay.provider import Relay
from tallystick.providers.relay.schema import RelaySettings

__all__ = ["Relay", "RelaySettings"]
