"""What a provider's sandbox is written on: a stand that plays one provider, with state, a ledger of
what it was asked to make, faults to order, and webhooks to send.

Plain Python: `tallystick.sandbox` puts stands on sockets, `transport` puts one behind a client in
process, on a virtual clock where wanted, with the same faults.
"""

from __future__ import annotations

from tallystick.ports.sandboxing.faults import Fault, FaultKind, Faults
from tallystick.ports.sandboxing.ledger import Ledger
from tallystick.ports.sandboxing.stand import (
    Answer,
    BadAction,
    Call,
    Deed,
    Request,
    Stand,
    Table,
    action,
)
from tallystick.ports.sandboxing.transport import transport
from tallystick.ports.sandboxing.webhooks import Outgoing, Receipt

__all__ = [
    "Answer",
    "BadAction",
    "Call",
    "Deed",
    "Fault",
    "FaultKind",
    "Faults",
    "Ledger",
    "Outgoing",
    "Receipt",
    "Request",
    "Stand",
    "Table",
    "action",
    "transport",
]
