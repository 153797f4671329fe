"""How amounts and dates are written for who reads a page: one rule for all pages."""

from __future__ import annotations

from babel import Locale
from django.utils.translation import get_language

from tallystick.accounts.models import Account, Website
from tallystick.accounts.roles import Person
from tallystick.kit import spelling


def customs_of(website: Website | None) -> Locale:
    """The reader's language, as it is written in the country of `website`: as its documents and
    e-mails are written.

    A page about one invoice or wallet takes the website of that one. A page that may show several
    websites takes one of them for all its rows, so that its columns agree: for staff the one that is
    chosen, else the first of theirs by name; for clients the first, by name, that bills them."""
    return spelling.locale_of(get_language() or "en", website.country if website else "")


def home_of(client: Person) -> Website | None:
    """The first website, by name, that bills `client`."""
    billed = Account.objects.own(client).values("website")
    return Website.objects.filter(pk__in=billed).order_by("name", "pk").first()
