from __future__ import annotations

from tallystick.integrations.budgets import Budget
from tallystick.integrations.connections import Connection
from tallystick.integrations.inbound import InboundEvent
from tallystick.integrations.links import Link
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.pulls import Pull
from tallystick.integrations.remote_records import RemoteRecord

__all__ = ["Budget", "Connection", "InboundEvent", "Link", "Pull", "RemoteRecord", "SyncLog"]
