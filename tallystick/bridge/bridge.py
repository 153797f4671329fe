"""The bridge itself: takes orders, has them carried out, and tells what became of them."""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING

from pydantic import ValidationError

from tallystick.bridge import callbacks, orders
from tallystick.bridge.book import Book, Debt, State
from tallystick.bridge.callbacks import Callback, Callbacks, Heard
from tallystick.bridge.carrier import Carrier, Relayed
from tallystick.bridge.hands import LONGEST_REST, Hands
from tallystick.bridge.orders import Change, Malformed, Order
from tallystick.bridge.settings import BridgeSettings
from tallystick.kit import clock
from tallystick.ports.errors import (
    ProviderError,
    RateLimited,
    Refused,
    Unauthorized,
)

if TYPE_CHECKING:
    import httpx2

MOST_TRIES = 8
"""Of one order, over some five minutes: well before Tallystick stops to wait for a callback."""
DAY = 86_400.0
KEPT_DAYS = 30
_CARRY_BASE, _CARRY_CAP = 3.0, 300.0
_CALLBACK_BASE, _CALLBACK_CAP = 5.0, 1800.0
_SWEEP = 3600.0
_LEAVE = 5.0

log = logging.getLogger(__name__)


class Bridge:
    """`transport` replaces the network, both ways."""

    def __init__(
        self, settings: BridgeSettings, *, transport: httpx2.BaseTransport | None = None
    ) -> None:
        self.book = Book(settings.database)
        self._invoice_ninja = Relayed(settings.invoice_ninja, transport=transport)
        self._carrier = Carrier(self._invoice_ninja)
        self._callbacks = Callbacks(
            settings.callback_url, settings.callback_secrets, transport=transport
        )
        carriers = [self.carry_next] * self._invoice_ninja.concurrency
        tellers = [self.tell_next] * callbacks.CONCURRENCY
        self._hands = Hands([*carriers, *tellers, self.sweep])

    def start(self) -> None:
        self._hands.start()

    def stop(self) -> None:
        """What cannot be finished in time stays in the book."""
        if self._hands.stop(seconds=_LEAVE):
            self._invoice_ninja.close()
            self._callbacks.close()
        self.book.close()

    def take(self, order: Order) -> None:
        """Once this returns, the order outlives this process."""
        self.book.take(order)
        self._hands.ring()

    # -- the steps of the hands

    def carry_next(self) -> float:
        """Carry out the next order that is due."""
        with self.book.claimed(State.OWED) as debt:
            if debt is None:
                return self.book.seconds_to_next(State.OWED, most=LONGEST_REST)
            self._carry_out(debt)
        self._hands.ring()
        return 0

    def tell_next(self) -> float:
        """Send the next callback that is due."""
        with self.book.claimed(State.ANSWERED) as debt:
            if debt is None:
                return self.book.seconds_to_next(State.ANSWERED, most=LONGEST_REST)
            self._tell(debt)
        return 0

    def sweep(self) -> float:
        """Forget what was settled long ago."""
        self.book.forget(KEPT_DAYS)
        return _SWEEP

    # -- one order

    def _carry_out(self, debt: Debt) -> None:
        try:
            order = orders.parse(debt.text)
        except Malformed as error:
            self._unreadable(debt, error)
            return
        assert order is not None  # noqa: S101 - a ping is not written down
        self._carry(debt, order)

    def _unreadable(self, debt: Debt, error: Exception) -> None:
        """As another version or hand left it: put aside, so that the others have their turn."""
        log.error("%s cannot be read: %s", debt.id, type(error).__name__)
        self.book.settled(debt, State.UNHEARD)

    def _carry(self, debt: Debt, order: Order) -> None:
        try:
            remote = self._carrier.carry(order)
        except ProviderError as error:
            self._failed(debt, order, error)
        except Exception as error:  # noqa: BLE001 - one odd order must not stop the others
            self._failed(debt, order, _Stumbled(type(error).__name__))
        else:
            log.info("%s %s: is %s", order.event, order.subject, remote.id)
            self._answered(debt, order, remote.id)

    def _answered(self, debt: Debt, order: Order, remote_id: str) -> None:
        if isinstance(order, Change):
            said = Callback.success(order, remote_id).model_dump_json()
            self.book.answered(debt, said, succeeded=True)
        else:
            self.book.settled(debt)

    def _failed(self, debt: Debt, order: Order, error: ProviderError) -> None:
        # Dead credentials are the bridge's own trouble, not that of the user in hand.
        final = isinstance(error, Refused) and not isinstance(error, Unauthorized)
        log.warning("%s %s: %s", order.event, order.subject, type(error).__name__)
        if not final and not self._is_hopeless(debt, order):
            self.book.postponed(debt, _carry_delay(debt, error))
        elif isinstance(order, Change):
            said = Callback.failure(order, str(error), retry=not final).model_dump_json()
            self.book.answered(debt, said, succeeded=False)
        else:
            log.error("%s %s: given up after a day", order.event, order.subject)
            self.book.settled(debt, State.UNHEARD)

    def _is_hopeless(self, debt: Debt, order: Order) -> bool:
        """Whether it was tried enough. A removal has no callback to ask for it again: it is tried
        for a day."""
        if isinstance(order, Change):
            return debt.tries + 1 >= MOST_TRIES
        return clock.now().timestamp() - debt.since > DAY

    def _tell(self, debt: Debt) -> None:
        try:
            callback = Callback.model_validate_json(debt.text)
        except ValidationError as error:
            self._unreadable(debt, error)
            return
        heard, how = self._callbacks.send(callback, identity=f"{debt.id}.{debt.round}")
        log.info("Callback of %s: %s (%s)", debt.id, heard, how)
        if heard is not Heard.NO:
            self.book.settled(debt)
        elif clock.now().timestamp() - debt.since > DAY:
            log.error("Callback of %s: given up after a day", debt.id)
            self.book.settled(debt, State.UNHEARD)
        else:
            self.book.postponed(debt, _delay(debt.tries, _CALLBACK_BASE, _CALLBACK_CAP))


class _Stumbled(ProviderError):
    def __init__(self, name: str) -> None:
        super().__init__(f"The bridge stumbled over this ({name}); see its log.")


def _carry_delay(debt: Debt, error: ProviderError) -> float:
    asked = error.retry_after if isinstance(error, RateLimited) else 0.0
    return max(asked, _delay(debt.tries, _CARRY_BASE, _CARRY_CAP))


def _delay(tries: int, base: float, cap: float) -> float:
    """Doubling, with jitter: those who failed together do not come back together."""
    ceiling = min(cap, base * (1 << min(tries, 30)))
    return ceiling * random.uniform(0.5, 1)  # noqa: S311 - spreads load, hides nothing
