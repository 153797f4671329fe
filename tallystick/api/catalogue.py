"""Products and tax rates: what lines of invoices are made of."""

from __future__ import annotations

from django.db.models import TextField
from rest_framework.request import Request
from rest_framework.response import Response

from tallystick.api import listing, paging, schemas, shapes
from tallystick.api.describing import described
from tallystick.api.filters import CatalogueAsked
from tallystick.api.resources import Resource
from tallystick.billing.models import Product, TaxRate


class Products(Resource):
    @described(
        "products_list",
        "List products",
        answers=schemas.Product,
        asks=CatalogueAsked,
        paged=True,
        tag="catalogue",
        says="By name. For those who administer a website.",
    )
    def get(self, request: Request) -> Response:
        self.caller.need_admin()
        asked = CatalogueAsked.read(request)
        where = listing.places(self.caller, asked)
        question = paging.Question(
            asked.narrow(listing.rows(self.caller, Product.objects, where)),
            [place.condition("pk") for place in where],
            paging.Order("name", TextField()),
            descending=False,
            names=shapes.PRODUCT,
            binding=self.caller.name,
        )
        page = paging.page(request, question)
        return Response(page.body([shapes.product(row) for row in page.rows]))


class TaxRates(Resource):
    @described(
        "tax_rates_list",
        "List tax rates",
        answers=schemas.TaxRate,
        asks=CatalogueAsked,
        paged=True,
        tag="catalogue",
        says="For those who administer a website.",
    )
    def get(self, request: Request) -> Response:
        self.caller.need_admin()
        asked = CatalogueAsked.read(request)
        where = listing.places(self.caller, asked)
        question = paging.Question(
            asked.narrow(listing.rows(self.caller, TaxRate.objects, where)),
            [place.condition("pk") for place in where],
            paging.BY_ID,
            descending=False,
            names=shapes.TAX_RATE,
            binding=self.caller.name,
        )
        page = paging.page(request, question)
        return Response(page.body([shapes.tax_rate(row) for row in page.rows]))
