"""What the holder of a payment link may do: see the one invoice, and pay it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from tallystick.accounts.roles import can_bill
from tallystick.api import examples, inputs, paying, schemas, shapes, throttles
from tallystick.api.authentication import SignedIn
from tallystick.api.describing import PDF, described
from tallystick.api.invoice_acts import pdf
from tallystick.api.problems import Problem
from tallystick.api.resources import Resource, idempotency_key
from tallystick.billing import documents, link_doors, link_log, methods, paylinks, payments
from tallystick.billing.invoices import Invoice
from tallystick.billing.link_log import LinkEventKind
from tallystick.billing.paylinks import LinkState
from tallystick.events.actors import Actor
from tallystick.events.requests import actor_in, address_of
from tallystick.kit.signing import digest

_CLOSED = {
    LinkState.EXPIRED: "link_expired",
    LinkState.REVOKED: "link_revoked",
    LinkState.USED: "link_used",
    LinkState.VOID: "link_void",
}
_AGENT = 200


class ByToken(Resource):
    """No name is asked for: the token opens its invoice, within the limits of the pay page."""

    authentication_classes = [SignedIn]
    permission_classes = [AllowAny]
    invoice: Invoice

    def meet(self, request: Request) -> None:
        address = address_of(request._request)
        self.limits = throttles.of_address(address)
        self.invoice = link_doors.open_door(self.token(request), address)
        if settings.PAY_PAGE_REQUIRES_LOGIN:
            self._know(request)

    def token(self, request: Request) -> str:
        del request
        return str(self.kwargs["token"])

    def actor(self, request: Request) -> Actor:
        if request.user.is_authenticated:
            return actor_in(request._request)
        agent = request.META.get("HTTP_USER_AGENT", "")[:_AGENT]
        return link_doors.visitor(self.invoice, address_of(request._request), agent)

    def owner(self, request: Request) -> str:
        return f"link:{digest(self.token(request))}"[:80]

    def usable(self, *states: LinkState) -> LinkState:
        """The state of the link, one of `states`; raises the `Problem` of any other."""
        state = paylinks.state(self.invoice)
        if state in states:
            return state
        link_log.note_closed(self.invoice, state)
        if state == LinkState.PAID:
            raise payments.AlreadyPaid
        raise Problem(_CLOSED.get(state, "not_found"))

    def _know(self, request: Request) -> None:
        if not request.user.is_authenticated:
            raise Problem("not_authenticated", "This site asks who pays to sign in.")
        invoice, user = self.invoice, request.user
        if not (link_doors.is_of(user, invoice.client) or can_bill(user, invoice.website)):
            raise Problem("forbidden")


class PayByToken(ByToken):
    @described(
        "pay_retrieve",
        "See what a payment link asks for",
        answers=schemas.PublicInvoice,
        tag="payment links",
        public=True,
        says="What the pay page shows, and the ways to pay.",
    )
    def get(self, request: Request, token: str = "") -> Response:
        del token
        state = self.usable(LinkState.USABLE, LinkState.PAID)
        link_log.note(self.invoice, LinkEventKind.VIEWED)
        return Response(_shown(self.invoice, state, request))

    @described(
        "pay_create",
        "Pay by a payment link",
        takes=inputs.Pay,
        answers=schemas.Outcome,
        example=examples.PAY,
        tag="payment links",
        public=True,
        says="Answers what came of it, or the address to go to.",
    )
    def post(self, request: Request, token: str) -> Response:
        del token
        self.usable(LinkState.USABLE)
        asked = inputs.read(inputs.Pay, request.data)
        # Staff pay from a client's wallet by the invoice's own address, not by the client's link.
        if asked["method"] == "wallet" and not link_doors.is_of(request.user, self.invoice.client):
            raise payments.NotAllowed
        key = idempotency_key(request, self.owner(request))
        with link_log.attempt(self.invoice, asked["method"]):
            link = self.invoice.payment_token
            return Response(paying.pay(self.invoice, asked, by=request.user, key=key, link=link))


class PaymentLinkByToken(PayByToken):
    http_method_names = ["get", "head"]

    def token(self, request: Request) -> str:
        return str(request.query_params.get("token", ""))

    @described(
        "payment_link_retrieve",
        "See what a payment link asks for, by its token",
        answers=schemas.PublicInvoice,
        tag="payment links",
        public=True,
        more=[OpenApiParameter("token", str, required=True, description="Of the payment link.")],
    )
    def get(self, request: Request) -> Response:  # type: ignore[override] # the token is in the query
        return super().get(request)


class PdfByToken(ByToken):
    @described("pay_pdf", "Read the invoice as PDF", answers=PDF, tag="payment links", public=True)
    def get(self, request: Request, token: str) -> HttpResponse:
        del request, token
        self.usable(LinkState.USABLE, LinkState.PAID, LinkState.USED, LinkState.VOID)
        link_log.note(self.invoice, LinkEventKind.PDF)
        invoice = self.invoice
        return pdf(documents.invoice_pdf(invoice), invoice.number or invoice.reference_id)


def _shown(invoice: Invoice, state: LinkState, request: Request) -> dict[str, Any]:
    currency = invoice.currency
    seller = invoice.as_seller()
    figures = ("subtotal", "discount", "tax", "amount", "amount_paid", "amount_credited")
    return {
        "state": state.value,
        **{name: getattr(invoice, name) for name in _TEXT},
        "seller": {name: seller.get(name, "") for name in _SELLER},
        "buyer_name": invoice.as_buyer().get("name", ""),
        **{name: shapes.figure(getattr(invoice, name), currency) for name in figures},
        "amount_due": shapes.figure(invoice.amount_due, currency),
        "is_overdue": invoice.is_overdue(invoice.website.today()),
        "part_payments": invoice.website.allow_part_payments,
        "lines": [shapes.line(line, currency) for line in invoice.lines.select_related("product")],
        "taxes": shapes.taxes(invoice.breakdown(), currency),
        "methods": [
            {"name": method.name, "label": str(method.label)}
            for method in methods.for_invoice(invoice, request.user)
            if method.name != "wallet" or link_doors.is_of(request.user, invoice.client)
        ],
        "bank": _bank(invoice, seller),
    }


_TEXT = (
    *("reference_id", "number", "title", "description", "currency"),
    *("issue_date", "due_date"),
)
_SELLER = (
    *("name", "email", "line1", "line2", "city", "region", "postal_code", "country"),
    "tax_number",
)


def _bank(invoice: Invoice, seller: dict[str, str]) -> dict[str, str] | None:
    if not seller.get("iban"):
        return None
    return {
        "holder": seller["name"],
        "bank_name": seller.get("bank_name", ""),
        "iban": seller["iban"],
        "bic": seller.get("bic", ""),
        "reference": invoice.reference_id,
    }
