"""Logging in, within limits: nobody tries out passwords."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.debug import sensitive_post_parameters

from tallystick.events.requests import address_of
from tallystick.web.limits import Limit, too_many

BY_ADDRESS = Limit("login-address", times=20, seconds=60)
BY_NAME = Limit("login-name", times=20, seconds=60)
"""For one account, from wherever: many addresses together get no further than one."""

_NAMES = ("login", "username", "email")

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def limited(view: View[P]) -> Callable[..., HttpResponseBase]:
    """A log-in `view` that answers so many tries a minute; right or wrong is not asked."""

    @wraps(view)
    @sensitive_post_parameters()
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.method == "POST" and not _within_limits(request):
            return too_many(request)
        return view(request, *args, **kwargs)

    return guarded


def _within_limits(request: HttpRequest) -> bool:
    # Who is held up by address does not use up the tries of an account.
    whose = _whose(request)
    return BY_ADDRESS.count(address_of(request)) and (not whose or BY_NAME.count(whose))


def _whose(request: HttpRequest) -> str:
    """The account that is tried: as the form names it, or who is signed in."""
    given = (request.POST.get(name, "").strip().casefold() for name in _NAMES)
    who = f"user {request.user.pk}" if request.user.is_authenticated else ""
    return next(filter(None, given), who)
