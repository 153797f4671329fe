from __future__ import annotations

import csv
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from typing import TypeAlias

from django.core.management.base import BaseCommand

from tallystick.billing.management.commands.doctor import chosen
from tallystick.billing.numbering_reports import Disorder, Period, known_of, reports

_Write: TypeAlias = Callable[[Period, str, str, str], None]

COLUMNS = ("website", "series", "period", "number", "what", "detail")
EXPLAINED = 100
"""Missing numbers of one gap that are looked up in the journal one by one."""


class Command(BaseCommand):
    help = (
        "List the numbers of each series and year, and explain every gap; exit 1 if there is one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--website", metavar="DOMAIN")
        parser.add_argument("--series", metavar="CODE", default="", help="such as invoice")
        parser.add_argument("--year", type=int)
        parser.add_argument("--csv", action="store_true", help="comma-separated, with a heading")

    def handle(
        self,
        *,
        website: str | None,
        series: str,
        year: int | None,
        csv: bool,
        **_: object,
    ) -> None:
        write = self._csv() if csv else self._text
        broken = False
        for period in reports(chosen(website), code=series, year=year):
            summary = f"{period.count} documents, counter at {period.counted}"
            span = f"{period.name(period.first)} to {period.name(period.last)}"
            write(period, span if period.count else "", "numbers", summary)
            for number, what, detail in _remarks(period):
                broken |= what in {"missing", "double", "stray"}
                write(period, number, what, detail)
        if broken:
            sys.exit(1)

    def _text(self, period: Period, number: str, what: str, detail: str) -> None:
        place = f"{period.series.website.domain} {period.series.code} {period.label}"
        self.stdout.write(f"{place}: {f'{number}: ' if number else ''}{what}: {detail}")

    def _csv(self) -> _Write:
        writer = csv.writer(self.stdout, lineterminator="\n")
        writer.writerow(COLUMNS)

        def write(period: Period, number: str, what: str, detail: str) -> None:
            series = period.series
            writer.writerow(
                [series.website.domain, series.code, period.label, number, what, detail]
            )

        return write


def _remarks(period: Period) -> Iterator[tuple[str, str, str]]:
    for first, last in period.gaps:
        for number in range(first, min(last, first + EXPLAINED - 1) + 1):
            yield period.name(number), "missing", known_of(period, number)
        if last >= first + EXPLAINED:
            rest = f"and {last - first - EXPLAINED + 1} more, up to {period.name(last)}"
            yield period.name(first + EXPLAINED), "missing", rest
    for number in period.doubles:
        yield period.name(number), "double", "more than one document bears it"
    for written in period.strays:
        yield written, "stray", "it does not follow from the counter"
    for written in period.odd:
        yield written, "form", "not written as the series writes numbers today"
    for out in period.disorder:
        yield _misplaced(period, out)


def _misplaced(period: Period, out: Disorder) -> tuple[str, str, str]:
    if out.count == 1:
        detail = f"dated {out.since}, after a lower number dated {out.day}"
        return period.name(out.first), "order", detail
    others = f"{period.name(out.first)} to {period.name(out.last)}"
    detail = (
        f"dated {out.day}, after {out.count} with higher numbers: {others}, "
        f"dated {out.since} to {out.until}"
    )
    return period.name(out.number), "order", detail
