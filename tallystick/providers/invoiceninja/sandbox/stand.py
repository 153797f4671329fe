"""Invoice Ninja over HTTP."""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

from tallystick.kit import signing
from tallystick.kit.clock import Clock
from tallystick.ports.sandboxing import Answer, Fault, Outgoing, Receipt, Request, Table
from tallystick.providers.invoiceninja.sandbox import console, page
from tallystick.providers.invoiceninja.sandbox.answers import (
    Invalid,
    Rejected,
    Row,
    as_page,
    missing_route,
    refusal,
    wants_json,
)
from tallystick.providers.invoiceninja.sandbox.control import Control
from tallystick.providers.invoiceninja.sandbox.limits import Limits, too_many
from tallystick.providers.invoiceninja.sandbox.routes import Errand, carried_out
from tallystick.providers.invoiceninja.sandbox.showing import delivered

_API = "/api/v1/"


class InvoiceNinjaStand(Control):
    """Invoice Ninja. Below its root: `/api/v1/...`, to be asked with `token` as X-API-TOKEN, and
    `/client/invoice/...`, the pages that invitations link to."""

    name: ClassVar[str] = "invoiceninja"
    title: ClassVar[str] = "Invoice Ninja"

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        public_url: str = "https://invoiceninja.sandbox",
        limits: Limits | None = None,
    ) -> None:
        super().__init__(clock, public_url=public_url, limits=limits)

    def arrive(self, request: Request) -> Answer | None:
        with self.lock:
            if not request.path.startswith(_API):
                return None
            over = self.gauge.enter(self.limits, self.now())
            return self._metered(over) if over else None

    def respond(self, request: Request) -> Answer:
        with self.lock:
            if request.path.startswith(page.ROOT):
                return self._page(request)
            if not request.path.startswith(_API):
                return as_page(missing_route().answer)
            return self._metered(self._api(request))

    def too_many(self, fault: Fault) -> Answer:
        return too_many(self.retry_after(fault))

    def outgoing(self) -> list[Outgoing]:
        with self.lock:
            return self.deliveries.due(self.now(), self._delivered)

    def pending_deliveries(self) -> list[Outgoing]:
        """All that was not delivered yet, the late ones too, taken out of the queue: for a test
        that hands them over itself."""
        with self.lock:
            return self.deliveries.all(self._delivered)

    def reported(self, receipt: Receipt) -> None:
        with self.lock:
            super().reported(receipt)
            self.deliveries.reported(receipt)
            self.settle()

    def state(self) -> list[Table]:
        with self.lock:
            return console.tables(self)

    # -- one request

    def _api(self, request: Request) -> Answer:
        if not signing.same(request.headers.get("x-api-token", ""), self.token):
            # Whoever asks: this answer is JSON always.
            return refusal(HTTPStatus.FORBIDDEN, "Invalid token")
        if not self.has_plan:
            return refusal(HTTPStatus.FORBIDDEN, "This feature is not available on the free plan.")
        parts = tuple(part for part in request.path[len(_API) :].split("/") if part)
        try:
            self._check_rights(request)
            answer = carried_out(Errand(self.company, request, self.public_url, parts))
        except (Invalid, Rejected) as error:
            answer = error.answer() if isinstance(error, Invalid) else error.answer
            answer = answer if wants_json(request) else as_page(answer)
        self.settle()
        return answer

    def _check_rights(self, request: Request) -> None:
        if not self.may_write and request.method != "GET":
            raise Rejected(HTTPStatus.UNAUTHORIZED, "This action is unauthorized.")

    def _metered(self, answer: Answer) -> Answer:
        left = self.gauge.headers(self.limits)
        return Answer(answer.status, {**answer.headers, **left}, answer.body)

    def _delivered(self, kind: str, row: Row) -> Row:
        return delivered(self.company, kind, row, self.public_url)

    def _page(self, request: Request) -> Answer:
        key = request.path.removeprefix(page.ROOT).strip("/")
        found = page.find(self.company, key)
        if found is None:
            return as_page(missing_route().answer)
        if request.method == "POST" and found["balance"] > 0:
            self.pay_invoice(found["id"])
            found = self.company.one("invoices", found["id"])
        return page.shown(self.company, found)
