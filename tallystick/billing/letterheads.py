"""What every document has: the seller's head and foot, the paper, figures and dates in one language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from babel import Locale
from django.utils.translation import gettext as _

from tallystick.billing import typesetting
from tallystick.kit import colours, pictures, spelling
from tallystick.kit.places import country_name

if TYPE_CHECKING:
    from tallystick.accounts.models import Website

Row = dict[str, Any]

_LETTER_COUNTRIES = frozenset({"CA", "CL", "CO", "CR", "MX", "PA", "PH", "US", "VE"})
_CITY_FIRST = frozenset({"AU", "CA", "GB", "IE", "IN", "NZ", "US", "ZA"})


class Letterhead:
    """What every document says, whatever it is."""

    def __init__(self, website: Website, seller: dict[str, str], currency: str) -> None:
        self.website = website
        self.seller = seller
        self.currency = currency
        self.locale = spelling.locale_of(website.language, website.country)

    def frame(self, title: str, kind: str) -> Row:
        before, between, after = (
            _("Page {page} of {pages}").replace("{pages}", "{page}").split("{page}")
        )
        return {
            "title": title,
            "kind": kind,
            "brand": self.website.name,
            "accent": accent_of(self.website),
            "logo": _logo(self.website),
            "language": self.locale.language,
            "region": self.locale.territory or "ZZ",
            "paper": "us-letter" if self.website.country in _LETTER_COUNTRIES else "a4",
            "page": [before, between, after],
            "foot": " · ".join(filter(None, (self.seller["name"], self.seller["email"]))),
        }

    def amount(self, value: Decimal) -> str:
        return spelling.amount(value, self.currency, self.locale)

    def figures(self, value: Decimal) -> str:
        """The amount with its currency, for a sentence."""
        return f"{self.amount(value)}\N{NO-BREAK SPACE}{self.currency}"

    def day(self, value: date | None) -> str:
        return spelling.day(value, self.locale) if value else "\N{EN DASH}"

    def party(self, label: str, party: dict[str, str]) -> Row:
        return {"label": label, "name": party["name"], "lines": _address(party, self.locale)}


def accent_of(website: Website) -> str:
    """The website's colour where it can be read on white, else ours."""
    own = website.accent_colour
    return own if own and colours.is_readable(own) else typesetting.tokens()["light"]["accent"]


def row(label: str, amount: str, weight: str = "") -> Row:
    return {"label": label, "amount": amount, "weight": weight}


def aligned(figures: Sequence[str], locale: Locale) -> Iterable[tuple[str, str]]:
    """Each figure with the decimal places it lacks beside the longest: set unseen, points align."""
    point = locale.number_symbols["latn"]["decimal"]
    fractions = [figure.partition(point)[1:] for figure in figures]
    longest = max((len(places) for _point, places in fractions), default=0)
    for figure, (has_point, places) in zip(figures, fractions, strict=True):
        lacking = "0" * (longest - len(places))
        yield figure, (lacking if has_point or not longest else point + lacking)


def _address(party: dict[str, str], locale: Locale) -> list[str]:
    place = [party.get("postal_code"), party.get("city")]
    if party.get("country") in _CITY_FIRST:
        place.reverse()
    number = party.get("tax_number")
    lines = (
        party.get("line1"),
        party.get("line2"),
        ", ".join(filter(None, (" ".join(filter(None, place)), party.get("region")))),
        country_name(party.get("country") or "", locale.language),
        _("Tax number {number}").format(number=number) if number else "",
    )
    return [line for line in lines if line]


def _logo(website: Website) -> list[int] | None:
    """The logo's bytes, where it is a picture that can be placed."""
    if not website.logo.name or not website.logo.storage.exists(website.logo.name):
        return None
    with website.logo.open() as file:
        picture: bytes = file.read(pictures.LARGEST + 1)
    usable = len(picture) <= pictures.LARGEST and pictures.is_whole(picture)
    return list(picture) if usable else None
