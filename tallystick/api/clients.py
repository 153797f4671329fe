"""Clients: who can be billed."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from tallystick.accounts.models import Account
from tallystick.accounts.searching import clients as clients_by
from tallystick.api import listing, paging, schemas, shapes
from tallystick.api.describing import described
from tallystick.api.filters import ClientsAsked
from tallystick.api.problems import Problem
from tallystick.api.resources import Resource


class Clients(Resource):
    @described(
        "clients_list",
        "List and search clients",
        answers=schemas.Client,
        asks=ClientsAsked,
        paged=True,
        tag="clients",
        says="A client sees their own account and those of their organisations.",
    )
    def get(self, request: Request) -> Response:
        asked = ClientsAsked.read(request)
        where = listing.places(self.caller, asked)
        rows = listing.rows(self.caller, Account.objects, where)
        if term := asked.value("search"):
            rows = rows.filter(pk__in=clients_by(rows, term))
        question = paging.Question(
            rows,
            [
                Q(website=place.website) if place.client is None else Q(pk=place.client)
                for place in where
            ],
            paging.BY_ID,
            binding=self.caller.name,
        )
        page = paging.page(request, question)
        clients = shapes.clients(page.rows, "pk")
        return Response(page.body([shapes.client(clients[row["pk"]]) for row in page.rows]))


class OneClient(Resource):
    @described("clients_retrieve", "Read a client", answers=schemas.Client, tag="clients")
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002 - as the address calls it
        del request
        rows = self.caller.rows(Account.objects).filter(uid=id)
        account = rows.select_related("user", "organisation", "website").first()
        if account is None:
            raise Problem("not_found")
        return Response(shapes.client(account))
