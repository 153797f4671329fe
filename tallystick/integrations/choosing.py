"""Choosing by hand whose a record there is: what is offered, and what is done with the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from tallystick.accounts.models import Account
from tallystick.accounts.searching import clients, starts
from tallystick.billing.models import Product
from tallystick.integrations import matching, sync
from tallystick.integrations.deciding import Decider, Rows
from tallystick.integrations.links import Link
from tallystick.integrations.remote_records import RemoteRecord
from tallystick.ports.records import Kind

Match, Choice = RemoteRecord.Match, RemoteRecord.Choice
MOST = 20
MAKES = {
    Kind.CUSTOMER.value: (Choice.PERSON, Choice.ORGANISATION),
    Kind.PRODUCT.value: (Choice.PRODUCT,),
}


class BadChoice(Exception):
    """That cannot be chosen; the message says why."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An object here, as it is offered: `value` names it in the form; `taken`: by what it is linked
    with already."""

    value: str
    name: str
    detail: str
    url: str
    taken: str = ""


def said(one: RemoteRecord) -> Iterator[tuple[str, str]]:
    """What the record says, for people: what is empty is left out."""
    document: dict[str, Any] = one.document
    address = document.get("address") or {}
    fields = {
        _("name"): one.name,
        _("contact"): f"{document.get('first_name', '')} {document.get('last_name', '')}".strip(),
        _("e-mail address"): one.email,
        _("phone"): document.get("phone", ""),
        _("address"): ", ".join(part for part in address.values() if part),
        _("tax number"): document.get("tax_number", ""),
        _("number"): one.number,
        _("code"): one.code,
        _("price"): document.get("price", ""),
        _("description"): document.get("description", ""),
    }
    yield from ((label, str(value)) for label, value in fields.items() if value)


def is_new(one: RemoteRecord) -> bool:
    """Whether nothing here looks like it."""
    return one.match == Match.UNMATCHED and one.reason == matching.NOTHING


def makes(one: RemoteRecord) -> list[tuple[str, str]]:
    """What can be made here of it: choice and label."""
    if one.match in {Match.MATCHED, Match.ACCEPTED}:
        return []
    return [(choice.value, str(choice.label)) for choice in MAKES.get(one.kind, ())]


def candidates(one: RemoteRecord, term: str = "") -> list[Candidate]:
    """What `term` finds, or else what fits the record."""
    if one.kind not in MAKES or one.match == Match.MATCHED:
        return []
    if term:
        places = list(dict.fromkeys(_found(one, term)))[:MOST]
    else:
        known = matching.look_up(one.connection, [one])
        places = list(matching.judged(matching.clues_of(one), known).candidates)[:MOST]
        if not places and one.name:
            places = list(dict.fromkeys(_found(one, one.name)))[:MOST]
    return list(_offered(one, places))


def decide(one: RemoteRecord, act: str, chosen: str = "") -> None:
    """Carry out a person's answer. Raises `BadChoice`."""
    rows = Rows(RemoteRecord).filter(pk=one.pk)
    with transaction.atomic():
        if act == Choice.LINK:
            Decider().link(one, _chosen(one, chosen))
        elif act in MAKES.get(one.kind, ()):
            Decider().make([one], act)
        elif act == "ignore":
            Decider().ignore(rows)
        elif act == "again":
            Decider().ask_again(rows)
        else:
            raise BadChoice(_("Choose what is to be done."))


def page_of(app: str, model: str, pk: str) -> str:
    """Its page in the admin; empty where it has none."""
    try:
        return reverse(f"admin:{app}_{model}_change", args=[pk])
    except NoReverseMatch:
        return ""


def _chosen(one: RemoteRecord, chosen: str) -> models.Model:
    """The object of the record's own website and kind; any other is none that was offered."""
    label, _space, pk = chosen.partition(" ")
    told = next((t for t in sync.registered() if t.label == label and t.kind == one.kind), None)
    try:
        obj: Any = told.load([pk]).get(pk) if told else None
    except (ValueError, ValidationError):  # no id at all
        obj = None
    if told is None or obj is None or told.website_id(obj) != one.connection.website_id:
        raise BadChoice(_("Choose one of those that are offered."))
    taken = Link.objects.filter(connection=one.connection, model=label, local_id=pk)
    if taken.exclude(remote_id="").exists():
        raise BadChoice(_("That one has another counterpart there already."))
    return obj  # type: ignore[no-any-return]


def _found(one: RemoteRecord, term: str) -> Iterator[matching.Object]:
    """What goes by `term`: its number, code, address, or the beginning of its name."""
    website = one.connection.website_id
    for told in sync.registered():
        if told.kind != one.kind:
            continue
        for by in ("email", "code", "local_id", "key"):
            for ids in told.lookup(by, [term.lower()], website).values():
                yield from ((told.label, pk) for pk in ids)
    if one.kind == Kind.CUSTOMER:
        accounts = clients(Account.objects.of(website), term)
        yield from ((Account._meta.label, str(pk)) for pk in accounts)
    else:
        named = Product.objects.of(website).filter(starts("name", term) | Q(slug__startswith=term))
        numbers = named.order_by("pk").values_list("pk", flat=True)[:MOST]
        yield from ((Product._meta.label, str(pk)) for pk in numbers)


def _offered(one: RemoteRecord, places: list[matching.Object]) -> Iterator[Candidate]:
    labels = dict.fromkeys(label for label, _pk in places)
    for label in labels:
        told = sync.sync_of(label)
        ids = [pk for model, pk in places if model == label]
        links = Link.objects.filter(connection=one.connection, model=label, local_id__in=ids)
        taken = dict(links.exclude(remote_id="").values_list("local_id", "remote_id"))
        app, _dot, model = label.lower().partition(".")
        for pk, obj in told.load(ids).items():
            detail = getattr(obj, "email", "") or getattr(obj, "code", "")
            url = page_of(app, model, pk)
            yield Candidate(f"{label} {pk}", str(obj), str(detail), url, taken.get(pk, ""))
