"""The company of the sandbox, and what its administrator does."""

from __future__ import annotations

from pydantic import ValidationError

from tallystick.kit import signing
from tallystick.kit.clock import Clock
from tallystick.ports.sandboxing import BadAction, Stand, action
from tallystick.providers.invoiceninja.sandbox.company import Company
from tallystick.providers.invoiceninja.sandbox.limits import Gauge, Limits
from tallystick.providers.invoiceninja.sandbox.webhooks import Deliveries

_NAME, _CURRENCY, _COUNTRY = "Demo Company", "EUR", "DE"


class Ownership(Stand):
    """One company, hosted by itself: `limits` says otherwise."""

    def __init__(
        self, clock: Clock | None, *, public_url: str, limits: Limits | None = None
    ) -> None:
        super().__init__(clock, public_url=public_url)
        self._first_limits = limits or Limits()
        self._found()

    def _found(self) -> None:
        self.limits = self._first_limits
        self.gauge = Gauge()
        self.has_plan = self.may_write = True
        self.company = Company(_NAME, currency=_CURRENCY, country=_COUNTRY, now=self.now)
        self.deliveries = Deliveries(self.company)

    @property
    def token(self) -> str:
        """The API token."""
        return self.company.token

    def reset(self) -> None:
        with self.lock:
            super().reset()
            self._found()

    def settle(self) -> None:
        """A request is done: its changes go into the ledger and out as webhooks."""
        for change in self.company.changes:
            if change.made:
                self.ledger.made(change.kind, change.made)
            self.deliveries.tell(change)
        self.company.changes.clear()

    @action
    def describe(self) -> dict[str, object]:
        """What is needed to connect, and what is set."""
        return {
            "company": self.company.name,
            "api_url": self.public_url,
            "token": self.token,
            "limits": self.limits.model_dump(),
            "webhook_events_waiting": self.deliveries.waiting,
            "webhooks_paused": self.deliveries.paused,
        }

    @action
    def renew_token(self) -> dict[str, object]:
        """A new API token; the one before means nothing any more."""
        self.company.token = signing.digest(self.company.token)
        return self.describe()

    @action
    def set_rights(self, plan: bool = True, *, write: bool = True) -> dict[str, object]:
        """Whether the plan has an API at all, and whether the token's user may write."""
        self.has_plan, self.may_write = bool(plan), bool(write)
        return {"plan": self.has_plan, "write": self.may_write}

    @action
    def set_limits(self, minute: int = 1000) -> dict[str, object]:
        """As where it is hosted: so many calls a minute."""
        try:
            self.limits = Limits(minute=minute)
        except ValidationError as error:
            raise BadAction(f"set_limits: minute: {error.errors()[0]['msg']}.") from None
        self.gauge = Gauge()
        return self.limits.model_dump()

    @action
    def lift_limits(self) -> dict[str, object]:
        """As where people host it themselves."""
        self.limits = Limits()
        return self.limits.model_dump()

    @action
    def pause_webhooks(self, paused: bool = True) -> dict[str, object]:
        self.deliveries.paused = bool(paused)
        return self.describe()

    @action
    def delete_webhooks(self) -> dict[str, object]:
        """Delete all subscriptions, as an administrator may."""
        company = self.company
        gone = [row for row in company.shelves["webhooks"] if not row.get("is_deleted")]
        for webhook in gone:
            company.delete("webhooks", webhook)
        self.settle()
        return {"deleted": len(gone)}
