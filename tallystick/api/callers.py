"""Caller: who asks the API, and what of the tenants' data is theirs to see."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from django.http import HttpRequest
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from tallystick.accounts.apikeys import Scope
from tallystick.accounts.models import ApiKey
from tallystick.accounts.standing import Standing, standing_of
from tallystick.accounts.tenancy import TenantManager, TenantModel, TenantQuerySet
from tallystick.events.actors import Actor, ActorKind
from tallystick.events.requests import actor_in, address_of

if TYPE_CHECKING:
    from tallystick.people.models import User

M = TypeVar("M", bound=TenantModel)


class ScopeMissing(PermissionDenied):
    default_code = "scope_missing"


@dataclass
class Caller:
    """`user`, by themselves or through `key`, which confines them to its website and scopes."""

    user: User
    key: ApiKey | None
    address: str

    @classmethod
    def of(cls, request: Request) -> Caller:
        key = request.auth if isinstance(request.auth, ApiKey) else None
        assert request.user.is_authenticated  # noqa: S101 - nobody else gets as far as this
        return cls(request.user, key, address_of(request._request))

    @cached_property
    def standing(self) -> Standing:
        """What they may administer; with a key, of its website only."""
        standing = standing_of(self.user)
        if self.key is None:
            return standing
        site = self.key.website_id
        return Standing(admin_of=frozenset({site} if standing.rules(site) else ()))

    @property
    def name(self) -> str:
        """By which requests are counted and answers are kept."""
        return f"key:{self.key.pk}" if self.key else f"user:{self.user.pk}"

    def actor(self, request: HttpRequest) -> Actor:
        if self.key is None:
            return actor_in(request)
        return Actor(ActorKind.API_KEY, str(self.key.pk), "API key", self.address)

    def rows(self, manager: TenantManager[M]) -> TenantQuerySet[M]:
        """Of their websites, or what is their own affair."""
        if self.standing.is_superadmin:
            return manager.everywhere()
        if self.standing.admin_of:
            return manager.of(self.standing.admin_of)
        own = manager.own(self.user)
        return own.filter(website=self.key.website_id) if self.key else own

    def need(self, scope: Scope) -> None:
        """Raises `ScopeMissing` when the key has not been given `scope`."""
        if self.key is not None and not self.key.allows(scope):
            raise ScopeMissing(f"This key lacks the scope “{scope.value}”.")

    def need_admin(self, website_id: int | None = None) -> None:
        """Raises `PermissionDenied` unless they administer the website, or any."""
        standing = self.standing
        if not (standing.is_admin if website_id is None else standing.rules(website_id)):
            raise PermissionDenied("Only those who administer the website may do this.")
