"""The bridge: takes Tallystick's signed webhooks, makes the clients and products in Invoice Ninja,
and calls back with what became of them. A service of its own, without Django; `python -m
tallystick.bridge` starts it. Its set-up: `docs/invoice-ninja-relay.md`.
"""

from __future__ import annotations
