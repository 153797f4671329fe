"""Credit notes: the list, one of them, its PDF."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from tallystick.api import listing, paging, schemas, shapes
from tallystick.api.describing import PDF, described
from tallystick.api.filters import CreditNotesAsked
from tallystick.api.invoice_acts import credit_note_body, pdf
from tallystick.api.problems import Problem
from tallystick.api.resources import Resource
from tallystick.billing import documents
from tallystick.billing.credit_notes import CreditNote

_WITH = ("website", "invoice", "client__user", "client__organisation", "client__website")


class CreditNotes(Resource):
    @described(
        "credit_notes_list",
        "List credit notes",
        answers=schemas.CreditNoteRow,
        asks=CreditNotesAsked,
        paged=True,
        tag="credit notes",
        says="They are made by crediting an invoice.",
    )
    def get(self, request: Request) -> Response:
        asked = CreditNotesAsked.read(request)
        where = listing.places(self.caller, asked)
        question = paging.Question(
            asked.narrow(listing.rows(self.caller, CreditNote.objects, where)),
            [place.condition("client") for place in where],
            descending=asked.sort("-created_at")[1],
            names=shapes.CREDIT_NOTE,
            binding=self.caller.name,
        )
        page = paging.page(request, question)
        clients = shapes.clients(page.rows)
        results = [shapes.credit_note(row, clients[row["client_id"]]) for row in page.rows]
        return Response(page.body(results))


class OneCreditNote(Resource):
    def note(self, uid: UUID) -> CreditNote:
        rows = self.caller.rows(CreditNote.objects).filter(uid=uid)
        found = rows.select_related(*_WITH).first()
        if found is None:
            raise Problem("not_found")
        return found

    @described(
        "credit_notes_retrieve",
        "Read a credit note",
        answers=schemas.CreditNoteDetail,
        tag="credit notes",
    )
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002 - as the address calls it
        del request
        return Response(credit_note_body(self.note(id)))


class CreditNotePdf(OneCreditNote):
    @described("credit_notes_pdf", "Read a credit note as PDF", answers=PDF, tag="credit notes")
    def get(self, request: Request, id: UUID) -> HttpResponse:  # type: ignore[override] # noqa: A002
        del request
        note = self.note(id)
        return pdf(documents.credit_note_pdf(note), note.number)
