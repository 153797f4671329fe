"""Xero over HTTP."""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

from tallystick.kit.clock import Clock
from tallystick.ports.sandboxing import (
    Answer,
    BadAction,
    Fault,
    Outgoing,
    Receipt,
    Request,
    Table,
)
from tallystick.providers.xero.sandbox import console, page
from tallystick.providers.xero.sandbox.answers import (
    JSON,
    Invalid,
    Rejected,
    as_xml,
    dump,
    invalid,
    missing,
    problem,
)
from tallystick.providers.xero.sandbox.apps import App, Grant, token_answer
from tallystick.providers.xero.sandbox.control import Control
from tallystick.providers.xero.sandbox.limits import Gauge, Over
from tallystick.providers.xero.sandbox.routes import Errand, carried_out

_API = "/api.xro/2.0/"
_LARGEST_BODY = 3_500_000


class XeroStand(Control):
    """Xero. Below its root: `/api.xro/2.0/...`, `/Connections`, `/identity/connect/token` (also
    `/connect/token`, as at identity.xero.com) and `/in/...`, the pages of online invoices."""

    name: ClassVar[str] = "xero"
    title: ClassVar[str] = "Xero"

    def __init__(
        self, clock: Clock | None = None, *, public_url: str = "https://xero.sandbox"
    ) -> None:
        super().__init__(clock, public_url=public_url)
        self._inside: dict[int, Gauge] = {}

    def arrive(self, request: Request) -> Answer | None:
        with self.lock:
            app, _ = self._bearer(request)
            if app is None or not request.path.lower().startswith(_API):
                return None
            over = app.gauge.enter(self.limits, self.now())
            if over is None:
                self._inside[id(request)] = app.gauge
                return None
            return self._metered(app, over.answer())

    def leave(self, request: Request) -> None:
        with self.lock:
            gauge = self._inside.pop(id(request), None)
            if gauge:
                gauge.leave()

    def respond(self, request: Request) -> Answer:
        with self.lock:
            try:
                return self._answer(request)
            except Rejected as rejected:
                return rejected.answer

    def too_many(self, fault: Fault) -> Answer:
        answer = Over("minute", None).answer()
        return Answer(answer.status, {**answer.headers, **self.retry_after(fault)}, answer.body)

    def expire_tokens(self) -> None:
        with self.lock:
            for app in self.apps.values():
                app.grants.clear()

    def outgoing(self) -> list[Outgoing]:
        with self.lock:
            now = self.now()
            return [sent for app in self.apps.values() for sent in app.webhooks.due(now)]

    def pending_deliveries(self, organisation: str = "") -> list[Outgoing]:
        """All events not delivered yet, signed, taken out of the queue: for a test that hands them
        over itself."""
        with self.lock:
            return self.app(organisation).webhooks.pending()

    def reported(self, receipt: Receipt) -> None:
        with self.lock:
            super().reported(receipt)
            for app in self.apps.values():
                if app.books.id == receipt.sent.account:
                    app.webhooks.reported(receipt)

    def state(self) -> list[Table]:
        with self.lock:
            return console.tables(self)

    # -- one request

    def _answer(self, request: Request) -> Answer:
        path = request.path.lower()
        for root, answer in (
            (_API, self._api),
            ("/connect/token", self._token),
            ("/identity/connect/token", self._token),
            ("/connections", self._connections),
            ("/in/", self._online),
        ):
            if path.startswith(root):
                return answer(request)
        return missing()

    def _token(self, request: Request) -> Answer:
        if request.method != "POST":
            return missing()
        return token_answer(self.apps, request, self.now())

    def _bearer(self, request: Request) -> tuple[App | None, Grant | None]:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        for app in self.apps.values() if kind.lower() == "bearer" else ():
            grant = app.grants.get(token)
            if grant is not None and grant.ends > self.now():
                return app, grant
        return None, None

    def _authorised(self, request: Request) -> tuple[App, Grant]:
        app, grant = self._bearer(request)
        if app is None or grant is None:
            challenge = {"www-authenticate": 'OAuth Realm="api.xero.com"'}
            raise Rejected(
                problem(HTTPStatus.UNAUTHORIZED, "AuthenticationUnsuccessful", headers=challenge)
            )
        return app, grant

    def _connections(self, request: Request) -> Answer:
        app, _ = self._authorised(request)
        if request.method == "GET":
            connected = [app.connection()] if app.connected else []
            return Answer(HTTPStatus.OK, JSON, dump(connected))
        named = request.path.rstrip("/").rpartition("/")[2].lower()
        if request.method == "DELETE" and app.connected and named == app.connection_id:
            app.connected = False
            return Answer(HTTPStatus.NO_CONTENT)
        return missing()

    def _api(self, request: Request) -> Answer:
        app, grant = self._authorised(request)
        try:
            answer = self._permitted(app, grant, request)
        except Rejected as rejected:
            answer = rejected.answer
        if "application/json" not in request.headers.get("accept", "") and answer.body:
            answer = as_xml(answer)
        return self._metered(app, answer)

    def _metered(self, app: App, answer: Answer) -> Answer:
        left = app.gauge.headers(self.limits, self.now())
        return Answer(answer.status, {**answer.headers, **left}, answer.body)

    def _permitted(self, app: App, grant: Grant, request: Request) -> Answer:
        tenant = request.headers.get("xero-tenant-id")
        # An empty value stands for the one organisation of a custom connection.
        if tenant is None or tenant.lower() not in {"", app.books.id} or not app.connected:
            return problem(HTTPStatus.FORBIDDEN, "AuthenticationUnsuccessful")
        if len(request.body) > _LARGEST_BODY:
            return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body exceeds 3.5 MB")
        parts = tuple(part for part in request.path[len(_API) :].split("/") if part)
        return self._once(Errand(app, grant, request, self.public_url, parts))

    def _once(self, errand: Errand) -> Answer:
        """Carry it out, unless its Idempotency-Key says that it was."""
        memory, request, now = errand.app.memory, errand.request, self.now()
        key = memory.key(request)
        if key and (before := memory.recall(key, request, now)):
            return before
        try:
            answer = carried_out(errand)
        except Invalid as error:
            answer = invalid([{"ValidationErrors": [{"Message": m} for m in error.messages]}])
        except Rejected as rejected:
            answer = rejected.answer
        if answer.status >= HTTPStatus.BAD_REQUEST:
            errand.books.undo.back(0)
        self.settle(errand.app)
        if key:
            memory.remember(key, request, answer, now)
        return answer

    def _online(self, request: Request) -> Answer:
        slug = request.path.strip("/").removeprefix("in/")
        for app in self.apps.values():
            if found := page.find(app.books, slug):
                if request.method == "POST":
                    try:
                        self.pay_invoice(found["InvoiceID"], organisation=app.books.id)
                    except BadAction as error:
                        return page.shown(app.books, found, complaint=str(error))
                    found = app.books.invoices.get(found["InvoiceID"]) or found
                return page.shown(app.books, found)
        return missing()
