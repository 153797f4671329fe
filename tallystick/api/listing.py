"""Which rows a caller's list is of, as arms that an index serves each by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from django.db.models import Q

from tallystick.accounts.models import Account, Website
from tallystick.accounts.tenancy import TenantManager, TenantModel, TenantQuerySet
from tallystick.api.callers import Caller
from tallystick.api.filters import Asked

M = TypeVar("M", bound=TenantModel)


@dataclass(frozen=True, slots=True)
class Place:
    """One arm: the rows of a website, or those of one client of it."""

    website: Website
    client: int | None = None

    @property
    def today(self) -> date:
        return self.website.today()

    def condition(self, client: str) -> Q:
        return Q(website=self.website.pk) if self.client is None else Q(**{client: self.client})


def places(caller: Caller, asked: Asked) -> list[Place]:
    """Where to look: the websites that the caller administers, or the accounts that are theirs;
    only that website or client which is asked for, and nowhere when it is not theirs."""
    website, client = asked.value("website"), asked.value("client")
    if client or not caller.standing.is_admin:
        accounts = caller.rows(Account.objects).select_related("website").order_by("pk")
        if client:
            accounts = accounts.filter(uid=client)
        if website:
            accounts = accounts.filter(website__uid=website)
        return [Place(account.website, account.pk) for account in accounts]
    sites = Website.objects.order_by("pk")
    if not caller.standing.is_superadmin:
        sites = sites.filter(pk__in=caller.standing.admin_of)
    if website:
        sites = sites.filter(uid=website)
    return [Place(site) for site in sites]


def rows(caller: Caller, manager: TenantManager[M], where: Iterable[Place]) -> TenantQuerySet[M]:
    """The rows that arms are cut from: nothing when there is nowhere to look."""
    if not list(where):
        return manager.everywhere().none()
    return caller.rows(manager)
