"""Which request does what."""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.ports.sandboxing import Answer, Request
from tallystick.providers.invoiceninja.sandbox import charts, reading
from tallystick.providers.invoiceninja.sandbox.answers import (
    Invalid,
    Row,
    answered,
    missing_record,
    missing_route,
)
from tallystick.providers.invoiceninja.sandbox.company import Company, check_editable
from tallystick.providers.invoiceninja.sandbox.listing import listed
from tallystick.providers.invoiceninja.sandbox.nouns import NOUNS, Noun
from tallystick.providers.invoiceninja.sandbox.showing import included, shown

USER = "Sandbox User"


@dataclass(frozen=True, slots=True)
class Errand:
    """One request with a good token. `parts`: the path below `/api/v1/` in pieces."""

    company: Company
    request: Request
    public_url: str
    parts: tuple[str, ...]

    def show(self, noun: Noun, row: Row) -> Answer:
        asked = included(noun, self.request.query)
        return answered({"data": shown(self.company, noun, row, asked, self.public_url)})


def carried_out(errand: Errand) -> Answer:
    """Raises `Invalid` or `Rejected`."""
    match (errand.request.method, errand.parts):
        case ("GET", ("ping",)):
            return answered({"company_name": errand.company.name, "user_name": USER})
        case ("POST", ("companies", "current")):
            return answered({"data": _company(errand.company)})
        case ("GET", ("statics",)):
            return answered(charts.statics())
        case (_, (name, *rest)) if name in NOUNS:
            return _about(errand, NOUNS[name], rest)
    raise missing_route()


def _about(errand: Errand, noun: Noun, rest: list[str]) -> Answer:
    included(noun, errand.request.query)  # before anything is done
    match (errand.request.method, rest):
        case (_, []):
            return _collection(errand, noun)
        case ("POST", ["bulk"]):
            return _bulk(errand, noun)
        case ("GET", [identity, action]) if noun.acts:
            return _acted(errand, noun, identity, action)
        case (_, [identity]):
            return _single(errand, noun, identity)
    raise missing_route()


def _collection(errand: Errand, noun: Noun) -> Answer:
    request = errand.request
    if request.method == "GET":
        return listed(errand.company, noun, request.query, errand.public_url)
    if request.method != "POST" or noun.create is None:
        raise missing_route()
    given = reading.document(request.body)
    return errand.show(noun, noun.create(errand.company, given, request.query))


def _single(errand: Errand, noun: Noun, identity: str) -> Answer:
    company, request = errand.company, errand.request
    found = _found(errand, noun, identity)
    if request.method == "GET":
        return errand.show(noun, found)
    if noun.change is None:
        raise missing_route()
    if request.method == "DELETE":
        return errand.show(noun, noun.act(company, "delete", found))
    if request.method != "PUT":
        raise missing_route()
    check_editable(found)
    given = reading.document(request.body)
    return errand.show(noun, noun.change(company, found, given, request.query))


def _acted(errand: Errand, noun: Noun, identity: str, action: str) -> Answer:
    found = _found(errand, noun, identity)
    try:
        return errand.show(noun, noun.act(errand.company, action, found))
    except KeyError:
        raise missing_route() from None


def _bulk(errand: Errand, noun: Noun) -> Answer:
    """The same action on many; ids that are not there are passed over."""
    company = errand.company
    given = reading.document(errand.request.body)
    action, ids = str(given.get("action") or ""), given.get("ids")
    if not isinstance(ids, list) or not ids:
        raise Invalid({"ids": ["The ids field is required."]})
    if not noun.can(action):
        raise Invalid({"action": ["The selected action is invalid."]})
    company.twins.check(("bulk", noun.name, action, tuple(map(str, ids))), company.now())
    shelf = company.shelves[noun.name]
    found = [row for row in map(shelf.get, ids) if row is not None]
    data = [
        shown(company, noun, noun.act(company, action, row), (), errand.public_url) for row in found
    ]
    return answered({"data": data})


def _found(errand: Errand, noun: Noun, identity: str) -> Row:
    found = errand.company.shelves[noun.name].get(identity)
    if found is None:
        raise missing_record()
    return found


def _company(company: Company) -> Row:
    return {
        "id": company.id,
        "company_key": company.key,
        "enabled_tax_rates": 1,
        "enabled_item_tax_rates": 1,
        "is_disabled": False,
        "custom_fields": company.custom_fields or [],  # PHP has one spelling of nothing
        "settings": {
            "name": company.name,
            "currency_id": company.currency_id,
            "country_id": company.country_id,
        },
    }
