"""The figures of a period, kept up to date as invoices change."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from tallystick.api import listing, schemas, shapes
from tallystick.api.describing import described
from tallystick.api.filters import StatsAsked
from tallystick.api.problems import Problem
from tallystick.api.resources import Resource
from tallystick.billing import statistics
from tallystick.billing.statistics import Figures, Step

_TOTALS = (
    *("invoiced", "paid", "unpaid", "collected", "refunded", "disputed", "charged_back"),
    *("credited", "voided", "written_off", "outstanding", "overdue"),
)


class Stats(Resource):
    @described(
        "stats",
        "Figures of a period",
        answers=schemas.Stats,
        asks=StatsAsked,
        tag="statistics",
        says="Of one's websites, in one currency. For those who administer a website.",
    )
    def get(self, request: Request) -> Response:
        self.caller.need_admin()
        asked = StatsAsked.read(request)
        sites = [place.website for place in listing.places(self.caller, asked)]
        if not sites:
            raise Problem("bad_query", "There is no such website.", "website")
        found = statistics.figures(
            sites,
            currency=asked.value("currency") or sites[0].currency,
            start=asked.value("start"),
            end=asked.value("end"),
            step=Step(asked.value("step") or Step.MONTH),
        )
        return Response(_body(found))


def _body(found: Figures) -> dict[str, Any]:
    currency = found.currency

    def money(amount: Decimal) -> str:
        return shapes.figure(amount, currency)

    def total(each: Any) -> dict[str, Any]:  # noqa: ANN401 - anything of an amount and a number
        return {"amount": money(each.amount), "number": each.number}

    days = found.days_to_pay
    return {
        "currency": currency,
        "start": found.start,
        "end": found.end,
        **{name: total(getattr(found, name)) for name in _TOTALS},
        "ageing": [{"over": age.over, "to": age.to, **total(age)} for age in found.ageing],
        "average_days_to_pay": None if days is None else shapes.plain(round(days, 2)),
        "settled": found.settled,
        "methods": [{"method": share.method, **total(share)} for share in found.methods],
        "step": found.step.value,
        "series": [
            {
                "day": point.day,
                "invoiced": money(point.invoiced),
                "collected": money(point.collected),
            }
            for point in found.series
        ],
    }
