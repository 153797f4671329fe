"""The same verb for many invoices: each by itself, so that one that is refused stops no other."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from tallystick.accounts.apikeys import Scope
from tallystick.api import examples, inputs, invoice_bodies, problems, schemas
from tallystick.api.describing import described
from tallystick.api.problems import Problem
from tallystick.api.resources import Resource, idempotency_key
from tallystick.billing import payments
from tallystick.billing.errors import BillingError
from tallystick.billing.locks import Gone
from tallystick.kit.money import MoneyError

_SCOPES = {
    "send_email": Scope.INVOICES,
    "mark_paid": Scope.PAYMENTS,
    "void": Scope.INVOICES,
}


class BulkActs(Resource):
    @described(
        "invoices_bulk",
        "Send, mark paid or void many invoices",
        takes=inputs.Bulk,
        answers=schemas.BulkResults,
        status=207,
        example=examples.BULK,
        says="At most 100. Each has its own result, in the order asked.",
    )
    def post(self, request: Request) -> Response:
        self.caller.need_admin()
        asked = inputs.read(inputs.Bulk, request.data)
        self.caller.need(_SCOPES[asked["action"]])
        if asked["action"] == "void" and not asked.get("reason", "").strip():
            raise ValidationError({"reason": ["Say why: the reason is kept with the invoices."]})
        key = idempotency_key(request, self.owner(request))
        results = [self._try(request, asked, uid, key) for uid in dict.fromkeys(asked["ids"])]
        return Response({"results": results}, status=207)

    def _try(self, request: Request, asked: Any, uid: UUID, key: str) -> dict[str, Any]:  # noqa: ANN401
        try:
            with transaction.atomic():
                code = self._do(asked, uid, f"{key}:{uid.hex}" if key else "")
        except (BillingError, MoneyError, Problem, APIException, Gone) as error:
            told = problems.answer(error, {"request": request})
            assert told is not None  # noqa: S101 - all of these are refusals
            return {"id": uid, "status": told.status_code, "error": told.data}
        return {"id": uid, "status": code, "error": None}

    def _do(self, asked: Any, uid: UUID, key: str) -> int:  # noqa: ANN401 - as read
        invoice = invoice_bodies.find_to_change(self.caller, uid)
        if asked["action"] == "send_email":
            invoice.send_email()
            return 202
        if asked["action"] == "mark_paid":
            payments.mark_paid(invoice, by=self.caller.user, key=key)
        else:
            invoice.void(reason=asked["reason"])
        return 200
