"""The apps and organisations of the sandbox, and what the owner of an app does."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus

from pydantic import ValidationError

from tallystick.kit.clock import Clock
from tallystick.ports.sandboxing import BadAction, Stand, action
from tallystick.providers.xero.sandbox.apps import App
from tallystick.providers.xero.sandbox.books import Books
from tallystick.providers.xero.sandbox.charts import countries
from tallystick.providers.xero.sandbox.limits import Limits

_CURRENCIES = ("EUR", "GBP", "USD", "NZD", "AUD", "CHF", "JPY")
_FIRST_ORGANISATIONS = (("Demo Company (UK)", "GB"), ("Demo Company (Global)", "DE"))


class Ownership(Stand):
    """`organisation` is a tenant id or a name; empty for the first one."""

    def __init__(
        self, clock: Clock | None = None, *, public_url: str = "https://xero.sandbox"
    ) -> None:
        super().__init__(clock, public_url=public_url)
        self.limits = Limits()
        self.apps: dict[str, App] = {}
        self._found()

    def _found(self) -> None:
        for name, country in _FIRST_ORGANISATIONS:
            self._open(name, country)

    def _open(self, name: str, country: str) -> App:
        books = Books(name, country=country, now=self.now, currencies=_CURRENCIES)
        app = App(books)
        self.apps[app.client_id] = app
        return app

    def reset(self) -> None:
        with self.lock:
            super().reset()
            self.limits = Limits()
            self.apps.clear()
            self._found()

    def app(self, organisation: str = "") -> App:
        """The app of an organisation, by tenant id or name; the first one when empty."""
        for app in self.apps.values():
            if not organisation or organisation in {app.books.id, app.books.name}:
                return app
        raise BadAction(f"There is no organisation {organisation!r}.")

    def settle(self, app: App) -> None:
        """A request is done: its changes go into the ledger and out as webhooks."""
        books = app.books
        api = f"{self.public_url}/api.xro/2.0"
        for change in books.changes:
            if change.made:
                self.ledger.made(change.kind, change.made, account=books.id)
            app.webhooks.tell(change, books.id, api)
        books.changes.clear()
        books.undo.forget()

    @action
    def add_organisation(self, name: str, country: str = "GB") -> dict[str, object]:
        """Another organisation with its own app."""
        if country not in countries:
            raise BadAction(f"country is one of {', '.join(countries)}.")
        if any(app.books.name == name for app in self.apps.values()) or not name.strip():
            raise BadAction(f"The name {name!r} is taken or empty.")
        return self.describe(self._open(name, country))

    @action
    def organisations(self) -> list[dict[str, object]]:
        """All, with the credentials of their apps."""
        return [self.describe(app) for app in self.apps.values()]

    @action
    def set_webhook(self, url: str, *, organisation: str = "") -> dict[str, object]:
        """Save the address of the webhook; the intent-to-receive handshake follows."""
        app = self.app(organisation)
        app.webhooks.subscribe(url)
        return self.describe(app)

    @action
    def pause_webhooks(self, paused: bool = True, *, organisation: str = "") -> dict[str, object]:
        app = self.app(organisation)
        app.webhooks.paused = bool(paused)
        return self.describe(app)

    @action
    def repeat_webhooks(self) -> dict[str, object]:
        """Send the accepted deliveries that are still remembered once more."""
        done = [receipt.sent for receipt in self.receipts if receipt.accepted]
        repeated = 0
        for app in self.apps.values():
            for sent in done:
                if sent.account == app.books.id and sent.expects == HTTPStatus.OK:
                    app.webhooks.again(sent, self.now())
                    repeated += 1
        return {"repeated": repeated}

    @action
    def revoke_tokens(self, *, organisation: str = "") -> dict[str, object]:
        """All access tokens of the app end now; it may ask for new ones."""
        app = self.app(organisation)
        app.grants.clear()
        return self.describe(app)

    @action
    def set_connected(self, connected: bool, *, organisation: str = "") -> dict[str, object]:
        """Disconnect the app from the organisation, or connect it again."""
        app = self.app(organisation)
        app.connected = bool(connected)
        return self.describe(app)

    @action
    def set_scopes(self, scopes: str, *, organisation: str = "") -> dict[str, object]:
        """The scopes the app may have from now on, separated by spaces; its tokens end."""
        app = self.app(organisation)
        app.scopes = frozenset(scopes.split())
        app.grants.clear()
        return self.describe(app)

    @action
    def set_lock_date(self, day: str = "", *, organisation: str = "") -> dict[str, object]:
        """Nothing dated at or before `day` may change; empty lifts it."""
        app = self.app(organisation)
        app.books.lock_date = date.fromisoformat(day) if day else None
        return self.describe(app)

    @action
    def set_idempotency(self, on: bool, *, organisation: str = "") -> dict[str, object]:
        """Off: Idempotency-Key means nothing, as at a provider without keys."""
        app = self.app(organisation)
        app.memory.on = bool(on)
        return self.describe(app)

    @action
    def set_limits(self, **limits: int | None) -> dict[str, object]:
        """minute, day, appminute, concurrent; null lifts one, one not named keeps its default."""
        try:
            self.limits = Limits.model_validate(limits)
        except ValidationError as error:
            raise BadAction(f"set_limits: {error.errors()[0]['msg']}.") from None
        return self.limits.model_dump()

    @action
    def lift_limits(self) -> dict[str, object]:
        self.limits = Limits.off()
        return self.limits.model_dump()

    def describe(self, app: App) -> dict[str, object]:
        books = app.books
        return {
            "organisation": books.name,
            "tenant_id": books.id,
            "base_currency": books.base_currency,
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "webhook_key": app.webhooks.key,
            "webhook_url": app.webhooks.url,
            "webhook_health": str(app.webhooks.health),
            "webhook_events_waiting": app.webhooks.waiting,
            "connected": app.connected,
            "idempotency": app.memory.on,
            "scopes": " ".join(sorted(app.scopes)),
            "lock_date": books.lock_date.isoformat() if books.lock_date else "",
            "most_calls_at_once": app.gauge.highest,
        }
