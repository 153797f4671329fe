"""The sandbox: a stand for every provider, one clock, one mailbox."""

from __future__ import annotations

from tallystick.ports.sandboxing import Stand
from tallystick.providers.invoiceninja.sandbox import InvoiceNinjaStand
from tallystick.providers.relay.sandbox import RelayStand
from tallystick.providers.xero.sandbox import XeroStand
from tallystick.sandbox.clock import ShiftedClock
from tallystick.sandbox.mailbox import Mailbox

STANDS: tuple[type[Stand], ...] = (XeroStand, InvoiceNinjaStand, RelayStand)
"""A provider is played by adding its stand here; its root is then `/<name>/`."""


class Sandbox:
    """`url` is where the outside reaches it, without a trailing slash."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.clock = ShiftedClock()
        self.mailbox = Mailbox(self.clock.now)
        self.stands = {
            stand.name: stand(self.clock, public_url=f"{url}/{stand.name}") for stand in STANDS
        }

    def reset(self) -> None:
        """As new, mails and clock included."""
        self.clock.offset *= 0
        self.mailbox.clear()
        for stand in self.stands.values():
            stand.reset()
