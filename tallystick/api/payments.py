"""Payments, their receipts and refunds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from tallystick.accounts.apikeys import Scope
from tallystick.api import examples, inputs, listing, paging, schemas, shapes
from tallystick.api.describing import PDF, described
from tallystick.api.filters import PaymentsAsked
from tallystick.api.invoice_acts import pdf
from tallystick.api.problems import Problem
from tallystick.api.resources import Resource, idempotency_key
from tallystick.billing import documents, payments
from tallystick.billing.payment_rows import Payment
from tallystick.kit.money import Money

_WITH = (
    *("website", "invoice__website", "invoice__client", "account__user", "account__organisation"),
    "account__website",
)


class Payments(Resource):
    @described(
        "payments_list",
        "List payments",
        answers=schemas.Payment,
        asks=PaymentsAsked,
        paged=True,
        tag="payments",
    )
    def get(self, request: Request) -> Response:
        asked = PaymentsAsked.read(request)
        where = listing.places(self.caller, asked)
        statuses = asked.value("status")
        arms = [place.condition("account") for place in where]
        if statuses:
            arms = [arm & Q(status=each) for arm in arms for each in statuses]
        question = paging.Question(
            asked.narrow(listing.rows(self.caller, Payment.objects, where)),
            arms,
            descending=asked.sort("-created_at")[1],
            names=shapes.PAYMENT,
            binding=self.caller.name,
        )
        page = paging.page(request, question)
        clients = shapes.clients(page.rows, "account_id")
        results = [shapes.payment(row, clients[row["account_id"]]) for row in page.rows]
        return Response(page.body(results))


class OnePayment(Resource):
    def payment(self, uid: UUID) -> Payment:
        rows = self.caller.rows(Payment.objects).filter(uid=uid)
        found = rows.select_related(*_WITH).first()
        if found is None:
            raise Problem("not_found")
        return found

    @described("payments_retrieve", "Read a payment", answers=schemas.PaymentDetail, tag="payments")
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002 - as the address calls it
        del request
        return Response(_whole(self.payment(id)))


class RefundPayment(OnePayment):
    scopes = {"POST": Scope.PAYMENTS}
    http_method_names = ["post"]

    @described(
        "payments_refund",
        "Refund a payment",
        takes=inputs.RefundIn,
        answers=schemas.Refund,
        status=201,
        example=examples.REFUND,
        tag="payments",
        says="In whole or in part. `pending` until the money has gone back.",
    )
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002
        payment = self.payment(id)
        self.caller.need_admin(payment.website_id)
        asked = inputs.read(inputs.RefundIn, request.data)
        money = None
        if "amount" in asked:
            money = Money(asked["amount"], asked.get("currency", payment.currency))
        refund = payments.refund(
            payment,
            money,
            by=self.caller.user,
            reason=asked["reason"],
            reference=asked.get("reference", ""),
            key=idempotency_key(request, self.owner(request)),
        )
        body = shapes.refund(shapes.row_of(refund, shapes.REFUND))
        return Response(body, status=status.HTTP_201_CREATED)


class Receipt(OnePayment):
    @described("payments_receipt", "Read a receipt as PDF", answers=PDF, tag="payments")
    def get(self, request: Request, id: UUID) -> HttpResponse:  # type: ignore[override] # noqa: A002
        del request
        payment = self.payment(id)
        if payment.succeeded_at is None:
            raise Problem("not_found", "There is a receipt once the money has come.")
        return pdf(documents.receipt_pdf(payment), f"receipt-{payment.uid.hex[:12]}")


def _whole(payment: Payment) -> dict[str, Any]:
    currency = payment.currency
    return {
        **shapes.payment(shapes.row_of(payment, shapes.PAYMENT), payment.account),
        "refundable": shapes.figure(payment.refundable.amount, currency),
        "allocations": [
            {
                "invoice": row.invoice.uid,
                "amount": shapes.figure(row.amount, currency),
                "created_at": row.created_at,
            }
            for row in payment.allocations.select_related("invoice")
        ],
        "refunds": [
            shapes.refund(shapes.row_of(row, shapes.REFUND))
            for row in payment.refunds.select_related("payment").order_by("pk")
        ],
    }
