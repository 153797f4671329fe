"""Who asks: the go-between, by the secret of its connections, or staff, by session or API key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http.response import HttpResponseBase
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tallystick.accounts.apikeys import Scope
from tallystick.accounts.limits import Limit, TooMany
from tallystick.accounts.models import Tries
from tallystick.api import throttles
from tallystick.api.authentication import KeyAuthentication, SignedIn
from tallystick.api.bodies import TooLong
from tallystick.api.resources import Handler, Resource
from tallystick.events.actors import Actor, ActorKind
from tallystick.events.requests import address_of
from tallystick.integrations.connections import BadCredentials, Connection
from tallystick.integrations.invoice_ninja import routes
from tallystick.kit import clock, signing, standard_webhooks
from tallystick.providers.relay import RelaySettings

SECRET = "x-webhook-secret"  # noqa: S105 - the name of a header
_SIGNED = (standard_webhooks.ID, standard_webhooks.TIMESTAMP, standard_webhooks.SIGNATURE)
_WINDOW = 60


class SecretRefused(PermissionDenied):
    """One answer, whether the secret is wrong, missing, or none is configured."""

    default_code = "secret_refused"


def misses() -> Limit:
    """Wrong secrets, per address; whoever reached it is not answered at all for a while."""
    return Limit("relay-misses", times=settings.API_KEY_GUESSES_PER_MINUTE, seconds=_WINDOW)


@dataclass(frozen=True, slots=True)
class Relay:
    """The go-between. `connections` are those whose secret it knows: of others it learns nothing."""

    connections: tuple[Connection, ...]

    @property
    def name(self) -> str:
        return f"relay:{','.join(str(connection.pk) for connection in self.connections)}"

    def count(self, address: str) -> throttles.Count:
        """Count one call. Raises `TooMany`; also for a good secret from an address that has guessed
        too often, or a guess that hits would be known by its answer."""
        limit, guesses = settings.INVOICE_NINJA_CALLBACKS_PER_MINUTE, misses()
        subject = f"api:{self.name}:{address}"
        used, missed = Tries.add_beside(guesses._named(address), subject, _WINDOW)
        if used > limit or missed >= guesses.times:
            raise TooMany(_WINDOW)
        return throttles.Count(limit, used)


class RelayAuthentication(BaseAuthentication):
    """`X-Webhook-Secret`, or the signature of Standard Webhooks. Either will do: while a secret is
    replaced, the newest that one side sends may not be known to the other yet."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Relay] | None:
        given = _headers(request)
        if not {SECRET, standard_webhooks.SIGNATURE} & given.keys():
            return None
        known = tuple(_known(given, _body(request, given)))
        if not known:
            misses().spend(address_of(request._request))
            raise SecretRefused
        return AnonymousUser(), Relay(known)

    def authenticate_header(self, request: Request) -> str:
        """What a wrong API key is answered with."""
        return KeyAuthentication().authenticate_header(request)


class GivesAName(BasePermission):
    """Who has no secret and is not signed in is told what the secret's wrong guess is told."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        del view
        if not isinstance(request.auth, Relay) and not request.user.is_authenticated:
            throttles.of_address(address_of(request._request))
            raise SecretRefused
        return True


class NinjaResource(Resource):
    """For the go-between; for those who administer a website too, where `is_for_staff`.

    What is not valid is answered 400 here, as agreed with the go-between. A call may be repeated
    without an `Idempotency-Key`."""

    authentication_classes = [RelayAuthentication, KeyAuthentication, SignedIn]
    permission_classes = [GivesAName]
    scopes: ClassVar[dict[str, Scope]] = {"POST": Scope.INTEGRATIONS}
    is_for_staff: ClassVar[bool] = True
    relay: Relay | None = None

    def meet(self, request: Request) -> None:
        if isinstance(request.auth, Relay):
            self.relay = request.auth
            self.limits = self.relay.count(address_of(request._request))
            return
        super().meet(request)
        self.caller.need_admin()
        if not self.is_for_staff:
            raise PermissionDenied("Only the service that holds the secret may do this.")

    def actor(self, request: Request) -> Actor:
        if self.relay is None:
            return super().actor(request)
        first = self.relay.connections[0]
        return Actor(ActorKind.PROVIDER, str(first.pk), "Invoice Ninja relay")

    def connections(self) -> list[Connection]:
        """The active ones that the call is about: by the secret, or of the websites of staff."""
        if self.relay is not None:
            return list(self.relay.connections)
        found, standing = routes.connections(), self.caller.standing
        return list(found if standing.is_superadmin else found.of(standing.admin_of))

    def _once(self, request: Request, handler: Handler) -> HttpResponseBase:
        return handler(request, *self.args, **self.kwargs)

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if response.status_code == status.HTTP_422_UNPROCESSABLE_ENTITY:
            response.status_code = response.data["status"] = status.HTTP_400_BAD_REQUEST
        return response


def _headers(request: Request) -> dict[str, str]:
    """Those that say who asks; what is no ASCII in them is wrong in any case."""
    names = (SECRET, *_SIGNED)
    found = {name: request.headers[name] for name in names if name in request.headers}
    return {name: value.encode("ascii", "replace").decode() for name, value in found.items()}


def _body(request: Request, given: dict[str, str]) -> bytes:
    """The bytes that a signature is over; not read where there is none."""
    if standard_webhooks.SIGNATURE not in given:
        return b""
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    if not length.isdecimal() or int(length[:12]) > settings.API_LARGEST_BODY:
        raise TooLong
    return request._request.body


def _known(given: dict[str, str], body: bytes) -> Iterable[Connection]:
    """The relay connections of which one secret is the one that was used. All are compared, so that
    the time taken does not tell which of them matches."""
    for connection in routes.connections().filter(type=routes.RELAY).select_related("website"):
        secrets = _secrets(connection)
        matches = [signing.same(given.get(SECRET, ""), secret) for secret in secrets]
        signed = standard_webhooks.is_genuine(secrets, given, body, now=clock.now())
        if any(matches) or signed:
            yield connection


def _secrets(connection: Connection) -> list[str]:
    try:
        held: Any = connection.settings()
    except BadCredentials:
        return []
    return held.secrets() if isinstance(held, RelaySettings) else []
