"""The courier: takes the stands' webhooks to whoever ordered them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

import httpx2

from tallystick.ports.sandboxing import Outgoing, Receipt, Stand

_PATIENCE = 5.0
"""Xero waits this long for an answer."""
_EVERY = 0.05
_AT_ONCE = 8

log = logging.getLogger(__name__)


class Courier:
    """Looks for due deliveries as long as it runs. The answer that accepts one sets no
    cookie, and has a body only where the sender reads it."""

    def __init__(self, stands: Iterable[Stand]) -> None:
        self._stands = list(stands)
        self._under_way: set[asyncio.Task[None]] = set()
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        async with httpx2.AsyncClient(timeout=_PATIENCE, trust_env=False) as client:
            while True:
                for stand in self._stands:
                    for sent in stand.outgoing():
                        task = asyncio.create_task(self._deliver(client, stand, sent))
                        self._under_way.add(task)
                        task.add_done_callback(self._under_way.discard)
                await asyncio.sleep(_EVERY)

    async def _deliver(self, client: httpx2.AsyncClient, stand: Stand, sent: Outgoing) -> None:
        async with self._free:
            status, complaint = await _sent(client, sent)
        stand.reported(Receipt(sent, stand.now(), status, complaint))
        log.debug("%s delivery %s: %s %s", stand.name, sent.id, status, complaint)


async def _sent(client: httpx2.AsyncClient, sent: Outgoing) -> tuple[int | None, str]:
    """The status of the answer, and what is wrong with it apart from the status."""
    try:
        async with asyncio.timeout(_PATIENCE):
            answer = await client.request(
                sent.method, sent.url, headers=dict(sent.headers), content=sent.body
            )
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
        return None, str(error) or "no answer in time"
    complaint = ""
    if answer.status_code != sent.expects:
        complaint = f"{sent.expects} was expected"
    elif sent.wants_silence and answer.is_success and answer.content:
        complaint = "the body is not empty"
    elif "set-cookie" in answer.headers:
        complaint = "it sets a cookie"
    return answer.status_code, complaint
