"""Work that outlives its process: rows that are their own queue entries, and who works them off."""

from __future__ import annotations

from tallystick.queue.registry import Budget, Queue, register, register_rows
from tallystick.queue.schedules import schedule
from tallystick.queue.waking import wake

__all__ = ["Budget", "Queue", "register", "register_rows", "schedule", "wake"]
