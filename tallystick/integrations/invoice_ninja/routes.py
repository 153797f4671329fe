"""The two routes to Invoice Ninja, and where a user or product has its link."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from tallystick.accounts.models import Account
from tallystick.accounts.tenancy import TenantQuerySet
from tallystick.integrations import sync
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.kit.db.texts import AsText
from tallystick.ports.records import Kind

DIRECT, RELAY = "INVOICE_NINJA", "INVOICE_NINJA_RELAY"
ROUTES = (DIRECT, RELAY)


def connections() -> TenantQuerySet[Connection]:
    """The active ones of all websites, by age."""
    return Connection.objects.everywhere().filter(type__in=ROUTES, is_active=True).order_by("pk")


def links(kind: Kind) -> models.QuerySet[Link]:
    """All of the kind at either route, with their connections."""
    found = Link.objects.filter(kind=kind.value, connection__type__in=ROUTES)
    return found.select_related("connection")


def links_of_users(user_ids: Iterable[Any]) -> dict[Any, Link]:
    """User id -> the link of their account: two queries however many there are."""
    accounts = by_local_id(Account.objects.everywhere().filter(user__in=list(user_ids)))
    at_routes = links_of_accounts(accounts).filter(connection__type__in=ROUTES)
    found = _best(at_routes.select_related("connection"))
    return {accounts[local_id].user_id: link for local_id, link in found.items()}


def by_local_id(accounts: models.QuerySet[Account]) -> dict[str, Account]:
    """`accounts` with their users, by what links know them by: one query."""
    return {str(account.pk): account for account in accounts.select_related("user")}


def links_of_accounts(local_ids: Iterable[str]) -> models.QuerySet[Link]:
    """All links of these accounts, at whatever connection."""
    return Link.objects.filter(
        kind=Kind.CUSTOMER.value, model=Account._meta.label, local_id__in=list(local_ids)
    )


def links_of(objects: Sequence[models.Model]) -> dict[Any, Link]:
    """Primary key -> the link of each of `objects`, all of one registered model."""
    if not objects:
        return {}
    told = sync.sync_for(type(objects[0]))
    ids = {told.local_id(obj): obj.pk for obj in objects}
    found = _best(links(told.kind).filter(model=told.label, local_id__in=list(ids)))
    return {ids[local_id]: link for local_id, link in found.items()}


def users_with(condition: Q) -> Exists:
    """A condition on users: their link at an active connection is as `condition` says."""
    accounts = Account._base_manager.filter(user=OuterRef(OuterRef("pk")))
    ids = accounts.annotate(text=AsText(Account)).values("text")
    at_work = links(Kind.CUSTOMER).filter(connection__is_active=True)
    return Exists(at_work.filter(condition, model=Account._meta.label, local_id__in=ids))


def objects_with(model: type[models.Model], condition: Q) -> Exists:
    """The same for objects of a registered model."""
    at_work = Link.objects.filter(connection__type__in=ROUTES, connection__is_active=True)
    own = AsText(model, OuterRef("pk"))
    return Exists(at_work.filter(condition, model=model._meta.label, local_id=own))


def _best(found: models.QuerySet[Link]) -> dict[str, Link]:
    """One each: of the active connection before an earlier one, of the newest among those."""
    ordered = found.order_by(F("connection__is_active").asc(), "pk")
    return {link.local_id: link for link in ordered}
