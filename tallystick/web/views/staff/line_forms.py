"""Lines of an invoice as they were typed: read in the reader's locale, each wrong field named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from babel import Locale
from django.utils.translation import gettext as _

from tallystick.billing import lengths, totals
from tallystick.billing.lines import MAX_LINES, InvoiceLine, LineDraft
from tallystick.billing.products import Product
from tallystick.billing.taxes import TaxRate
from tallystick.kit import spelling
from tallystick.kit.money import MoneyError, parse_amount, round_to

if TYPE_CHECKING:
    from django.http import QueryDict

FIELDS = ("description", "product", "quantity", "price", "discount", "tax")
_PLACES = 4


@dataclass
class LineForm:
    """What stands in the row, what is wrong with it by field, and what it comes to."""

    values: dict[str, str]
    number: int = 1
    errors: dict[str, str] = field(default_factory=dict)
    product: Product | None = None
    amount: Decimal | None = None

    @property
    def is_empty(self) -> bool:
        return not any(self.values.get(name, "").strip() for name in ("description", "price"))

    @property
    def product_uid(self) -> str:
        return str(self.product.uid) if self.product else self.values.get("product", "")

    def __getattr__(self, name: str) -> str:
        if name in FIELDS:
            return self.values.get(name, "")
        raise AttributeError(name)


def blank(rate: str = "") -> LineForm:
    return LineForm({"quantity": "1", "tax": rate})


def typed(data: QueryDict) -> list[LineForm]:
    columns = [data.getlist(name)[:MAX_LINES] for name in FIELDS]
    longest = max(map(len, columns), default=0)
    columns = [column + [""] * (longest - len(column)) for column in columns]
    return [LineForm(dict(zip(FIELDS, row, strict=True))) for row in zip(*columns, strict=True)]


def of(lines: Sequence[InvoiceLine], currency: str, locale: Locale) -> list[LineForm]:
    """The rows of a draft that is edited."""
    return [
        LineForm(
            {
                "description": line.description,
                "product": str(line.product.uid) if line.product else "",
                "quantity": spelling.number(line.quantity, locale),
                "price": spelling.price(line.unit_price, currency, locale),
                "discount": spelling.number(line.discount_percent, locale)
                if line.discount_percent
                else "",
                "tax": line.tax_rate.code if line.tax_rate else "",
            },
            product=line.product,
        )
        for line in lines
    ]


@dataclass
class Reading:
    """How the rows of a form are understood: what its website sells and taxes, what it is in."""

    locale: Locale
    currency: str
    rates: Mapping[str, TaxRate]
    products: Mapping[str, Product]

    def drafts(self, rows: Sequence[LineForm]) -> list[LineDraft]:
        """The lines to be, without the rows that are empty. Rows that are wrong say so."""
        for number, row in enumerate(rows, start=1):
            row.number, row.errors = number, {}
        return [self.draft(row) for row in rows if not row.is_empty]

    def draft(self, row: LineForm) -> LineDraft:
        row.product = self._product(row)
        if not row.description.strip():
            row.errors["description"] = _("Say what it is for.")
        elif wrong := unfit(row.description, lengths.LINE):
            row.errors["description"] = wrong
        return LineDraft(
            description=row.description.strip(),
            quantity=self._number(row, "quantity", Decimal(1)) or Decimal(0),
            unit_price=self._price(row),
            discount_percent=self._discount(row),
            tax_rate=self._rate(row),
            product=row.product,
        )

    def input(self, draft: LineDraft) -> totals.Line:
        rate = draft.tax_rate or (draft.product.tax_rate if draft.product else None)
        price = draft.unit_price
        if price is None:
            price = draft.product.price if draft.product else Decimal(0)
        return totals.Line(
            quantity=draft.quantity,
            unit_price=price,
            discount=draft.discount_percent,
            tax_code=rate.code if rate else "",
            percent=rate.percent if rate else Decimal(0),
        )

    def _product(self, row: LineForm) -> Product | None:
        """The one that was chosen; without a choice and a price, the one that the words name."""
        if chosen := self.products.get(row.values.get("product", "")):
            return chosen
        if row.values.get("price", "").strip():
            return None
        name = row.description.strip().casefold()
        return next((each for each in self.products.values() if each.name.casefold() == name), None)

    def _price(self, row: LineForm) -> Decimal | None:
        price = self._number(row, "price", None)
        if price is not None or row.errors.get("price"):
            return price
        if row.product is None:
            row.errors["price"] = _("What does one cost?")
        elif row.product.currency != self.currency:
            row.errors["price"] = _("Its price is in %(currency)s: say it in this invoice's.") % {
                "currency": row.product.currency
            }
        return None

    def _discount(self, row: LineForm) -> Decimal:
        percent = self._number(row, "discount", Decimal(0))
        most = row.product.max_discount_percentage if row.product else Decimal(100)
        if percent is not None and not 0 <= percent <= most:
            row.errors["discount"] = _("From 0 to %(most)s per cent.") % {
                "most": spelling.number(most, self.locale)
            }
        return percent or Decimal(0)

    def _rate(self, row: LineForm) -> TaxRate | None:
        code = row.values.get("tax", "")
        if code and code not in self.rates:
            row.errors["tax"] = _("This website has no such rate.")
        return self.rates.get(code)

    def _number(self, row: LineForm, name: str, default: Decimal | None) -> Decimal | None:
        text = row.values.get(name, "").strip()
        if not text:
            return default
        try:
            number = parse_amount(spelling.read_amount(text, self.locale))
        except MoneyError:
            example = spelling.example(self.locale)
            row.errors[name] = _("Write it in figures, such as %(example)s.") % {"example": example}
            return None
        if round_to(number, _PLACES) != number:
            row.errors[name] = _("At most four decimal places.")
        return number


def unfit(text: str, longest: int) -> str:
    """What is wrong with it, if anything."""
    if "\0" in text:
        return _("Null characters are not allowed.")
    if len(text.strip()) > longest:
        return _("At most %(n)d characters.") % {"n": longest}
    return ""


def compute(
    reading: Reading, rows: Sequence[LineForm], *, inclusive: bool, rounding: str
) -> totals.Totals | None:
    """What the rows come to so far, each row's own amount noted on it; None where that cannot be
    kept exactly."""
    drafts = reading.drafts(rows)
    counted = [row for row in rows if not row.is_empty]
    sound = [
        (row, draft) for row, draft in zip(counted, drafts, strict=True) if not _counts_not(row)
    ]
    inputs = [reading.input(draft) for _row, draft in sound]
    try:
        result = totals.compute(inputs, reading.currency, inclusive=inclusive, rounding=rounding)
    except MoneyError:
        return None
    for (row, _draft), total in zip(sound, result.lines, strict=True):
        row.amount = total.amount
    return result


def wrongs(rows: Sequence[LineForm]) -> Iterator[tuple[int, str, str]]:
    """Line, field and what is wrong there."""
    for row in rows:
        for name, message in row.errors.items():
            yield row.number, name, message


def _counts_not(row: LineForm) -> bool:
    return bool(row.errors.keys() & {"quantity", "price", "discount"})
