"""The stand-in for all providers: one process, state, faults, a small console and a mailbox."""

from __future__ import annotations
