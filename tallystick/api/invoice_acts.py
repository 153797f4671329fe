"""What can be done with an invoice: one address for each verb."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.text import get_valid_filename
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from tallystick.accounts.apikeys import Scope
from tallystick.api import examples, inputs, invoice_bodies, paying, schemas, shapes
from tallystick.api.describing import PDF, described
from tallystick.api.resources import Resource, idempotency_key
from tallystick.billing import documents, paylinks, payments
from tallystick.billing.credit_notes import Ask, CreditNote, issue_credit_note
from tallystick.billing.invoices import Invoice
from tallystick.billing.lines import InvoiceLine
from tallystick.billing.states import WrongState
from tallystick.kit.money import Money


class Act(Resource):
    """A verb, for those who administer the invoice's website."""

    scopes = {"POST": Scope.INVOICES}

    def invoice(self, uid: UUID) -> Invoice:
        return invoice_bodies.find_to_change(self.caller, uid)

    def told(self, invoice: Invoice, code: int = status.HTTP_200_OK) -> Response:
        found = invoice_bodies.find(self.caller, invoice.uid)
        return Response(invoice_bodies.whole(found), status=code)


class Issue(Act):
    @described(
        "invoices_issue",
        "Issue a draft",
        takes=inputs.Issue,
        answers=schemas.InvoiceDetail,
        example=examples.ISSUE,
        says="It gets its number and no longer changes.",
    )
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002 - as the address calls it
        invoice = self.invoice(id)
        asked = inputs.read(inputs.Issue, request.data)
        invoice.issue(by=self.caller.user, send=asked["send"])
        return self.told(invoice)


class SendEmail(Act):
    @described(
        "invoices_send_email",
        "Mail an invoice",
        takes=inputs.Nothing,
        answers=schemas.Queued,
        status=202,
        says="Once more, if it was sent before. The worker sends it.",
    )
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002
        invoice = self.invoice(id)
        inputs.read(inputs.Nothing, request.data)
        email = invoice.send_email()
        body = {"id": email.uid, "to": email.to, "state": str(email.state)}
        return Response(body, status=status.HTTP_202_ACCEPTED)


class MarkPaid(Act):
    scopes = {"POST": Scope.PAYMENTS}

    @described(
        "invoices_mark_paid",
        "Mark an invoice as paid",
        takes=inputs.MarkPaid,
        answers=schemas.InvoiceDetail,
        example=examples.MARK_PAID,
        says="All that is due has arrived, by cash or transfer.",
    )
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002
        invoice = self.invoice(id)
        asked = inputs.read(inputs.MarkPaid, request.data)
        payments.mark_paid(
            invoice,
            by=self.caller.user,
            reference=asked.get("reference", ""),
            key=idempotency_key(request, self.owner(request)),
        )
        return self.told(invoice)


class Void(Act):
    @described(
        "invoices_void",
        "Void an invoice",
        takes=inputs.Reason,
        answers=schemas.InvoiceDetail,
        example=examples.REASON,
        says="It keeps its number and is owed no more. Not where something was paid.",
    )
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002
        invoice = self.invoice(id)
        invoice.void(reason=inputs.read(inputs.Reason, request.data)["reason"])
        return self.told(invoice)


class WriteOff(Act):
    @described(
        "invoices_write_off",
        "Write an invoice off",
        takes=inputs.Reason,
        answers=schemas.InvoiceDetail,
        example=examples.REASON,
        says="Nobody expects it to be paid; it still can be.",
    )
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002
        invoice = self.invoice(id)
        invoice.write_off(reason=inputs.read(inputs.Reason, request.data)["reason"])
        return self.told(invoice)


class Credit(Act):
    @described(
        "invoices_credit",
        "Credit an invoice",
        takes=inputs.Credit,
        answers=schemas.CreditNoteDetail,
        status=201,
        example=examples.CREDIT,
        says="A credit note over all that is left, or over `amount`, or over `lines`.",
    )
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002
        invoice = self.invoice(id)
        asked = inputs.read(inputs.Credit, request.data)
        if asked.get("refund"):
            self.caller.need(Scope.PAYMENTS)
        ask: Ask = {
            "refund": asked.get("refund", False),
            "send": asked.get("send", False),
            "key": idempotency_key(request, self.owner(request)),
        }
        if "amount" in asked and "lines" in asked:
            raise ValidationError({"amount": ["Either `amount` or `lines`, not both."]})
        if "amount" in asked:
            ask["amount"] = Money(asked["amount"], invoice.currency)
        if "lines" in asked:
            ask["quantities"] = _quantities(invoice, asked["lines"])
        note = issue_credit_note(invoice, reason=asked["reason"], by=self.caller.user, **ask)
        return Response(credit_note_body(note), status=status.HTTP_201_CREATED)


class PaymentLink(Act):
    @described(
        "invoices_payment_link",
        "Make, renew or revoke the payment link",
        takes=inputs.LinkIn,
        answers=schemas.Link,
        example=examples.LINK,
        says="`make` answers the link there is, or a new one where that no longer works; `renew` "
        "always makes a new one and ends the old one; `revoke` ends it.",
    )
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002
        invoice = self.invoice(id)
        asked = inputs.read(inputs.LinkIn, request.data)
        terms: dict[str, Any] = {
            name: asked[name] for name in ("expires_at", "one_use") if name in asked
        }
        if asked["action"] == "revoke":
            if invoice.is_draft:
                raise WrongState("A draft has no payment link yet; issue it first.")
            paylinks.revoke(invoice, reason=asked.get("reason", ""))
        elif asked["action"] == "renew":
            paylinks.renew(invoice, reason=asked.get("reason", ""), **terms)
        else:
            paylinks.make(invoice, **terms)
        return Response(invoice_bodies.link(invoice))


class ProcessPayment(Resource):
    scopes = {"POST": Scope.PAYMENTS}

    @described(
        "invoices_process_payment",
        "Pay an invoice",
        takes=inputs.Pay,
        answers=schemas.Outcome,
        example=examples.PAY,
        says="Whoever sees an invoice may pay it, in the ways that are theirs. Answers what came of "
        "it, or the address to go to.",
    )
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002
        invoice = invoice_bodies.find(self.caller, id)
        asked = inputs.read(inputs.Pay, request.data)
        key = idempotency_key(request, self.owner(request))
        return Response(paying.pay(invoice, asked, by=self.caller.user, key=key))


class Pdf(Resource):
    @described("invoices_pdf", "Read an invoice as PDF", answers=PDF)
    def get(self, request: Request, id: UUID) -> HttpResponse:  # noqa: A002
        del request
        invoice = invoice_bodies.find(self.caller, id)
        return pdf(documents.invoice_pdf(invoice), invoice.number or invoice.reference_id)


def pdf(data: bytes, name: str) -> HttpResponse:
    response = HttpResponse(data, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{get_valid_filename(name)}.pdf"'
    return response


def credit_note_body(note: CreditNote) -> dict[str, Any]:
    """A credit note, whole."""
    lines = note.lines.select_related("product")
    return {
        **shapes.credit_note(shapes.row_of(note, shapes.CREDIT_NOTE), note.client),
        "seller": note.as_seller(),
        "buyer": note.as_buyer(),
        "lines": [shapes.line(line, note.currency) for line in lines],
        "taxes": shapes.taxes(note.breakdown(), note.currency),
    }


def _quantities(invoice: Invoice, lines: list[dict[str, Any]]) -> dict[InvoiceLine, Decimal]:
    kept = {line.position: line for line in invoice.lines.all()}
    faults = [
        {} if line["position"] in kept else {"position": ["There is no such line."]}
        for line in lines
    ]
    if any(faults) or len({line["position"] for line in lines}) < len(lines):
        raise ValidationError({"lines": faults if any(faults) else ["A line is named twice."]})
    return {kept[line["position"]]: line["quantity"] for line in lines}
