"""Who gets in to the staff pages, and what all of these show: a person's desk."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from babel import Locale
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Q, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import NoReverseMatch, reverse
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.models import Website
from tallystick.accounts.standing import Standing, standing_of
from tallystick.accounts.tenancy import TenantManager, TenantModel, TenantQuerySet
from tallystick.events.actors import acting
from tallystick.events.requests import actor_in
from tallystick.kit import spelling
from tallystick.kit.money import Money
from tallystick.web.customs import customs_of

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from tallystick.people.models import User

P = ParamSpec("P")
M = TypeVar("M", bound=TenantModel)

_SECTIONS: tuple[tuple[str, StrOrPromise], ...] = (
    ("dashboard", _("Overview")),
    ("invoices", _("Invoices")),
    ("payments", _("Payments")),
    ("credit-notes", _("Credit notes")),
    ("clients", _("Clients")),
    ("bank", _("Bank")),
    ("mail", _("Mail")),
)
"""The navigation. The page of a section is named `staff-<section>`; one without a page is left out."""


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    label: StrOrPromise
    url: str


@dataclass(frozen=True)
class Desk:
    """Who is at work, at which of their websites. `website`: the one they have chosen; None is all."""

    user: User
    standing: Standing
    path: str
    website: Website | None

    @cached_property
    def websites(self) -> list[Website]:
        return list(Website.objects.visible_to(self.user))

    @cached_property
    def locale(self) -> Locale:
        """See `customs_of`: at the website that is chosen, else the first of theirs."""
        return customs_of(self.website or next(iter(self.websites), None))

    def spelled(self, money: Money) -> str:
        return f"{spelling.amount(money.amount, money.currency, self.locale)} {money.currency}"

    def rows(self, manager: TenantManager[M]) -> TenantQuerySet[M]:
        """Those of the chosen website, or of all of theirs."""
        if self.website is not None:
            return manager.of(self.website)
        if self.standing.is_superadmin:
            return manager.everywhere()
        return manager.of(self.standing.admin_of)

    def arms(self, column: str = "", values: Iterable[str] = ()) -> list[Q]:
        """Conditions, one for each of their websites and each of `values`, that an index keeps apart:
        what `keyset.page` merges."""
        sites = [self.website] if self.website else self.websites
        chosen = [{column: value} for value in values] or [{}]
        return [Q(website=site, **each) for site in sites for each in chosen]

    def sections(self) -> list[Section]:
        found = []
        for name, label in _SECTIONS:
            try:
                found.append(Section(name, label, reverse(f"staff-{name}")))
            except NoReverseMatch:
                continue
        return found

    def page(self, section: str, **more: Any) -> dict[str, Any]:
        """What a template of the desk is given."""
        return {"desk": self, "locale": self.locale, "section": section, **more}


StaffView = Callable[Concatenate[HttpRequest, Desk, P], HttpResponseBase]


def for_staff(view: StaffView[P]) -> Callable[..., HttpResponseBase]:
    """Call `view` with the desk of who asks, if they manage any website. The journal says that it was
    they who did what it does; nothing of the answer is kept by caches."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        desk = desk_of(request)
        with acting(actor_in(request)):
            response = view(request, desk, *args, **kwargs)
        add_never_cache_headers(response)
        patch_cache_control(response, no_store=True, private=True)
        return response

    return guarded


def desk_of(request: HttpRequest) -> Desk:
    """The desk of who asks, at the website that `?website=` names. Raises `PermissionDenied` for
    clients, `Http404` for a website that is not theirs."""
    user = request.user
    if not user.is_authenticated:
        raise PermissionDenied
    prefetch_related_objects([user], "memberships")  # asked for often, from here on without a query
    standing = standing_of(user)
    if not standing.is_admin:
        raise PermissionDenied
    return Desk(user, standing, request.path, _chosen(request, user))


def _chosen(request: HttpRequest, user: User) -> Website | None:
    wanted = request.GET.get("website", "")
    if not wanted:
        return None
    try:
        return Website.objects.visible_to(user).get(uid=uuid.UUID(wanted))
    except (ValueError, Website.DoesNotExist):
        raise Http404 from None
