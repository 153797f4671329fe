"""Who gets in to the portal: whoever is signed in, to what is their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, cast
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.utils.translation import gettext as _

from tallystick.accounts.models import Website
from tallystick.billing.invoices import Invoice
from tallystick.events.actors import acting
from tallystick.events.requests import actor_in
from tallystick.web.customs import customs_of, home_of

if TYPE_CHECKING:
    from tallystick.people.models import User

P = ParamSpec("P")
ClientView = Callable[Concatenate[HttpRequest, P], HttpResponse]
Page = dict[str, Any]


def for_client(view: ClientView[P]) -> Callable[..., HttpResponse]:
    """Call `view` for whoever is signed in; what it shows is kept by no cache."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        with acting(actor_in(request)):
            response = view(request, *args, **kwargs)
        add_never_cache_headers(response)
        patch_cache_control(response, no_store=True, private=True)
        return response

    return guarded


def client_in(request: HttpRequest) -> User:
    return cast("User", request.user)


def own_invoice(request: HttpRequest, uid: UUID) -> Invoice:
    """The invoice, if it is theirs and no draft. Raises `Http404`."""
    own = Invoice.objects.own(request.user).select_related(
        "website", "client__user", "client__organisation"
    )
    found = own.filter(uid=uid).first()
    if found is None:
        raise Http404
    return found


def frame(
    request: HttpRequest, section: str, *, website: Website | None = None, **more: Any
) -> Page:
    """What a page of the portal is given; `website` is whose it is, where it is about one."""
    locale = customs_of(website or home_of(client_in(request)))
    return {"section": section, "sections": _sections(), "locale": locale, **more}


def _sections() -> list[tuple[str, str, str]]:
    return [
        ("overview", "portal", _("Overview")),
        ("invoices", "portal-invoices", _("Invoices")),
        ("payments", "portal-payments", _("Payments")),
        ("credit-notes", "portal-credit-notes", _("Credit notes")),
        ("wallet", "portal-wallet", _("Wallet")),
        ("profile", "portal-profile", _("Profile")),
    ]
