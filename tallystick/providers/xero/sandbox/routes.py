"""Which request does what."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from tallystick.ports.sandboxing import Answer, Request
from tallystick.providers.xero.sandbox import invoices, page, payments, reading, settings
from tallystick.providers.xero.sandbox.answers import (
    Element,
    Rejected,
    bad_body,
    listing,
    missing,
    problem,
)
from tallystick.providers.xero.sandbox.apps import App, Grant
from tallystick.providers.xero.sandbox.books import Books
from tallystick.providers.xero.sandbox.listing import listed
from tallystick.providers.xero.sandbox.nouns import INVOICES, NOUNS, PAYMENTS, Noun
from tallystick.providers.xero.sandbox.writing import written


@dataclass(frozen=True, slots=True)
class Errand:
    """One authorised request to the API: whose, and about what. `parts`: the path in pieces."""

    app: App
    grant: Grant
    request: Request
    public_url: str
    parts: tuple[str, ...]

    @property
    def books(self) -> Books:
        return self.app.books

    @property
    def places(self) -> int:
        """Decimal places of unit amounts."""
        return 4 if self.request.query.get("unitdp") == "4" else 2

    @property
    def is_read(self) -> bool:
        return self.request.method == "GET"

    def check_scope(self, scopes: tuple[str, ...]) -> None:
        if not any(self.grant.allows(scope, write=not self.is_read) for scope in scopes):
            raise Rejected(problem(HTTPStatus.FORBIDDEN, "AuthorizationUnsuccessful"))


def carried_out(errand: Errand) -> Answer:
    """Raises `Invalid` or `Rejected`."""
    name = errand.parts[0].lower() if errand.parts else ""
    if name in settings.LISTS:
        return _setting(errand, name)
    noun = NOUNS.get(name)
    if noun is None:
        return missing()
    errand.check_scope(noun.scopes)
    ways = (_collection, _single, _below)
    return ways[min(len(errand.parts), len(ways)) - 1](errand, noun)


def _setting(errand: Errand, name: str) -> Answer:
    errand.check_scope(("accounting.settings",))
    if not errand.is_read or len(errand.parts) > 1:
        return missing()
    spelled, elements = settings.LISTS[name]
    return listing(spelled, elements(errand.books), now=errand.books.now())


def _collection(errand: Errand, noun: Noun) -> Answer:
    method, books = errand.request.method, errand.books
    if errand.is_read:
        return listed(books, noun, errand.request)
    act = {"PUT": noun.create, "POST": noun.upsert}.get(method)
    if act is None:
        return missing()
    given = reading.elements(errand.request.body, noun.name)
    single = noun is PAYMENTS and method == "POST"
    if single and len(given) > 1:
        return bad_body("POST takes a single payment; PUT takes a list")
    # The description says that the default is false; the server behaves as if it were true.
    summarize = errand.request.query.get("summarizeErrors", "true").lower() != "false"
    do = partial(act, books, places=errand.places)
    return written(books, noun, given, do, one_by_one=not summarize and not single)


def _single(errand: Errand, noun: Noun) -> Answer:
    books = errand.books
    found = noun.one(books, errand.parts[1]) if noun.one else None
    if found is None:
        return missing()
    if errand.is_read:
        return listing(noun.name, [noun.show(books, found)], now=books.now())
    if errand.request.method != "POST" or noun.upsert is None:
        return missing()
    given = reading.elements(errand.request.body, noun.name)[0]

    def change(element: Element) -> Element:
        if noun is PAYMENTS or noun.upsert is None:
            return payments.delete(books, found, element)
        id_name = noun.shelf(books).id_name
        return noun.upsert(books, {**element, id_name: found[id_name]}, places=errand.places)

    return written(books, noun, [given], change, one_by_one=False)


def _below(errand: Errand, noun: Noun) -> Answer:
    """What hangs on an invoice."""
    books, parts = errand.books, errand.parts
    found = invoices.by_id_or_number(books, parts[1]) if noun is INVOICES else None
    match (errand.request.method, [part.lower() for part in parts[2:]]):
        case ("GET", ["onlineinvoice"]) if found:
            return page.address(errand.public_url, books, found)
        case ("POST", ["email"]) if found:
            page.send(books, found)
            return Answer(HTTPStatus.NO_CONTENT)
    return missing()
