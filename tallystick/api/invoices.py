"""Invoices: the list, one of them, and drafts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from tallystick.accounts.apikeys import Scope
from tallystick.accounts.models import Account, Website
from tallystick.api import examples, inputs, invoice_bodies, invoice_rows, schemas
from tallystick.api.bodies import JsonAnswer, read_json
from tallystick.api.describing import described
from tallystick.api.filters import InvoicesAsked
from tallystick.api.inputs import InvoiceIn, NewInvoice
from tallystick.api.resources import Resource, idempotency_key
from tallystick.billing import redrafting
from tallystick.billing.drafts import Details
from tallystick.billing.invoices import Invoice
from tallystick.billing.redrafting import Content

_WORDS = ("title", "description", "reference", "currency", "issue_date", "due_date")


class Invoices(Resource):
    scopes = {"POST": Scope.INVOICES}

    @described(
        "invoices_list",
        "List invoices",
        answers=schemas.Invoice,
        asks=InvoicesAsked,
        paged=True,
        says="Newest first, drafts among them for those who administer the website.",
    )
    def get(self, request: Request) -> Response:
        return Response(invoice_rows.page(request, self.caller))

    @described(
        "invoices_create",
        "Create an invoice",
        takes=NewInvoice,
        answers=schemas.InvoiceDetail,
        status=201,
        example=examples.NEW_INVOICE,
        says="A draft, unless `issue` or `send` ask for more.",
    )
    def post(self, request: Request) -> Response:
        self.caller.need_admin()
        asked = inputs.read(NewInvoice, request.data)
        client = _client(self, asked)
        with transaction.atomic():
            invoice = self._make(request, client, asked)
        body = invoice_bodies.whole(invoice_bodies.find(self.caller, invoice.uid))
        address = request.build_absolute_uri(f"{request.path}{invoice.uid}/")
        return Response(body, status=status.HTTP_201_CREATED, headers={"Location": address})

    def _make(self, request: Request, client: Account, asked: Mapping[str, Any]) -> Invoice:
        details: Details = {name: asked[name] for name in _WORDS if name in asked}  # type: ignore[assignment] # by table
        if "prices_include_tax" in asked:
            details["inclusive"] = asked["prices_include_tax"]
        details["key"] = idempotency_key(request, self.owner(request))
        lines = inputs.drafts(asked.get("lines", []), client.website)
        by, send = self.caller.user, asked.get("send", False)
        if send or asked.get("issue", False):
            return Invoice.objects.bill(account=client, lines=lines, by=by, send=send, **details)
        return Invoice.objects.draft(account=client, lines=lines, by=by, **details)


class OneInvoice(Resource):
    scopes = {"PUT": Scope.INVOICES, "PATCH": Scope.INVOICES, "DELETE": Scope.INVOICES}

    @described("invoices_retrieve", "Read an invoice", answers=schemas.InvoiceDetail)
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002 - as the address calls it
        del request
        return Response(invoice_bodies.whole(invoice_bodies.find(self.caller, id)))

    @described(
        "invoices_update",
        "Replace a draft",
        takes=InvoiceIn,
        answers=schemas.InvoiceDetail,
        example=examples.INVOICE,
        says="What is left out becomes as it would be on a new draft. Drafts only.",
    )
    def put(self, request: Request, id: UUID) -> Response:  # noqa: A002
        return self._revise(request, id, whole=True)

    @described(
        "invoices_partial_update",
        "Change a draft",
        takes=inputs.InvoicePatch,
        answers=schemas.InvoiceDetail,
        example=examples.PATCH,
        says="Drafts only. `lines`, when sent, replace all lines.",
    )
    def patch(self, request: Request, id: UUID) -> Response:  # noqa: A002
        return self._revise(request, id, whole=False)

    @described("invoices_delete", "Delete a draft", status=204, says="Drafts only.")
    def delete(self, request: Request, id: UUID) -> Response:  # noqa: A002
        del request
        with transaction.atomic():
            invoice = invoice_bodies.find_to_change(self.caller, id)
            invoice.lock()
            invoice.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _revise(self, request: Request, uid: UUID, *, whole: bool) -> Response:
        invoice = invoice_bodies.find_to_change(self.caller, uid)
        invoice.refuse_edit()
        schema = InvoiceIn if whole else inputs.InvoicePatch
        asked = inputs.read(schema, request.data, _present(invoice))
        # What was not sent is left as it is by then: somebody else may just be changing it.
        client = _client(self, asked) if "client" in asked else None
        if client is None:
            _check_website(asked, invoice.website, "A draft stays at its website.")
        content = _content(asked, client or invoice.client, whole=whole)
        lines = None
        if whole or "lines" in asked:
            lines = inputs.drafts(asked.get("lines", []), invoice.website)
        redrafting.revise(invoice, lines, client=client, **content)
        return Response(invoice_bodies.whole(invoice_bodies.find(self.caller, uid)))


def _content(asked: Mapping[str, Any], client: Account, *, whole: bool) -> Content:
    content: dict[str, Any] = {}
    if whole:
        content |= {"title": "", "description": "", "reference": ""}
        content |= {"issue_date": None, "due_date": None, "currency": client.billing_currency}
        content |= {"inclusive": client.website.prices_include_tax}
    content |= {name: asked[name] for name in _WORDS if name in asked}
    if "prices_include_tax" in asked:
        content["inclusive"] = asked["prices_include_tax"]
    return content  # type: ignore[return-value] # by table


def _present(invoice: Invoice) -> Any:  # noqa: ANN401 - as it is read
    return read_json(JsonAnswer().render(invoice_bodies.whole(invoice)))


def _client(resource: Resource, asked: Mapping[str, Any]) -> Account:
    """The account that is named; of the website that is named. Raises `ValidationError`."""
    accounts = resource.caller.rows(Account.objects).select_related(
        "website", "user", "organisation"
    )
    client = accounts.filter(uid=asked["client"]).first()
    if client is None:
        raise ValidationError({"client": ["There is no such client."]}, code="unknown_client")
    _check_website(asked, client.website, "The client is of another website.")
    return client


def _check_website(asked: Mapping[str, Any], right: Website, why: str) -> None:
    """Raises `ValidationError` where another one is named."""
    if asked.get("website", right.uid) != right.uid:
        raise ValidationError({"website": [why]})
