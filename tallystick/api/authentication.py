"""Who asks: an API key in the header, or the session of who is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from tallystick.accounts.limits import Limit
from tallystick.accounts.models import ApiKey
from tallystick.events.requests import address_of

if TYPE_CHECKING:
    from tallystick.people.models import User


def misses() -> Limit:
    """Wrong keys, per address; whoever reached it is not answered at all for a while."""
    return Limit("api-misses", times=settings.API_KEY_GUESSES_PER_MINUTE, seconds=60)


class KeyRefused(AuthenticationFailed):
    default_code = "key_refused"
    default_detail = "This API key does not exist, or is expired or revoked."


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer tally_...`"""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            return None
        kind, _, text = header.partition(" ")
        key = ApiKey.verify(text.strip()) if kind.lower() == "bearer" else None
        if key is None:
            misses().spend(address_of(request._request))
            raise KeyRefused
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        del request
        return 'Bearer realm="api"'


class SignedIn(SessionAuthentication):
    """The site's own session, with its CSRF token on everything but reading."""
