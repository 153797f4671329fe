"""Wallets, with the entries of each."""

from __future__ import annotations

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from tallystick.api import listing, paging, schemas, shapes
from tallystick.api.describing import PAGING, described
from tallystick.api.filters import EntriesAsked, WalletsAsked
from tallystick.api.problems import Problem
from tallystick.api.resources import Resource
from tallystick.billing.wallets import Wallet


class Wallets(Resource):
    @described(
        "wallets_list",
        "List wallets",
        answers=schemas.Wallet,
        asks=WalletsAsked,
        paged=True,
        tag="wallets",
    )
    def get(self, request: Request) -> Response:
        asked = WalletsAsked.read(request)
        where = listing.places(self.caller, asked)
        question = paging.Question(
            asked.narrow(listing.rows(self.caller, Wallet.objects, where)),
            [place.condition("account") for place in where],
            paging.BY_ID,
            names=shapes.WALLET,
            binding=self.caller.name,
        )
        page = paging.page(request, question)
        clients = shapes.clients(page.rows, "account_id")
        results = [shapes.wallet(row, clients[row["account_id"]]) for row in page.rows]
        return Response(page.body(results))


class OneWallet(Resource):
    @described(
        "wallets_retrieve",
        "Read a wallet and its entries",
        answers=schemas.WalletDetail,
        asks=EntriesAsked,
        more=PAGING,
        tag="wallets",
    )
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002 - as the address calls it
        EntriesAsked.read(request)
        rows = self.caller.rows(Wallet.objects).filter(uid=id)
        wallet = rows.select_related(
            "website", "account__user", "account__organisation", "account__website"
        ).first()
        if wallet is None:
            raise Problem("not_found")
        entries = paging.page(
            request,
            paging.Question(
                wallet.entries.all(),
                order=paging.BY_ID,
                names=shapes.ENTRY,
                binding=self.caller.name,
            ),
        )
        body = shapes.wallet(shapes.row_of(wallet, shapes.WALLET), wallet.account)
        shown = [shapes.entry(row, wallet.currency) for row in entries.rows]
        return Response(body | {"entries": entries.body(shown)})
