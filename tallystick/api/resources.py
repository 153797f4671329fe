"""Resource: what every address of the API does before and after its own work."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tallystick.accounts.apikeys import Scope
from tallystick.accounts.idempotency import KeptAnswer
from tallystick.api import throttles
from tallystick.api.callers import Caller
from tallystick.api.problems import Problem
from tallystick.events.actors import Actor, acting
from tallystick.kit import json
from tallystick.kit.signing import digest

Handler = Callable[..., HttpResponseBase]
_KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
_NOT_KEPT = frozenset({401, 403, 409, 429})
_KEPT_HEADERS = ("Content-Type", "Location")


class Resource(APIView):
    """`scopes` says which scope a key needs for a method; reading needs `read`.

    A POST with an `Idempotency-Key` is done once: its repeat gets the first one's answer."""

    scopes: ClassVar[dict[str, Scope]] = {}
    caller: Caller
    limits: throttles.Count | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if "\0" in request._request.get_full_path() or "%00" in request.META.get(
            "QUERY_STRING", ""
        ):
            raise Problem("bad_query", "A query holds no NUL characters.")
        self.meet(request)

    def meet(self, request: Request) -> None:
        """Find out who asks, and that they may."""
        self.caller = Caller.of(request)
        self.limits = throttles.of_caller(self.caller)
        method = str(request.method)
        if method in ("GET", "HEAD"):
            self.caller.need(Scope.READ)
        elif method in self.scopes:
            self.caller.need(self.scopes[method])

    def actor(self, request: Request) -> Actor:
        return self.caller.actor(request._request)

    def owner(self, request: Request) -> str:
        """Whose an `Idempotency-Key` is."""
        del request
        return self.caller.name

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ANN401 - as the base
        """As the framework does it, but that handlers run in the name of who asks, and once."""
        self.args, self.kwargs = args, kwargs
        self.request = asked = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        response: HttpResponseBase
        try:
            self.initial(asked, *args, **kwargs)
            handler = getattr(self, str(asked.method).lower(), self.http_method_not_allowed)
            with acting(self.actor(asked)):
                response = self._once(asked, handler)
        except Exception as error:  # noqa: BLE001 - it is raised again where it is no refusal
            response = self.handle_exception(error)
        final: HttpResponseBase = self.finalize_response(asked, response, *args, **kwargs)
        if self.limits is not None:
            self.limits.tell(final)
        return final

    def finalize_response(
        self,
        request: Request,
        response: Any,  # noqa: ANN401 - as the base
        *args: Any,
        **kwargs: Any,
    ) -> Any:  # noqa: ANN401 - not always the framework's own
        found = super().finalize_response(request, response, *args, **kwargs)
        found.headers.setdefault("Cache-Control", "private, no-store")
        return found

    def _once(self, request: Request, handler: Handler) -> HttpResponseBase:
        key = request.META.get("HTTP_IDEMPOTENCY_KEY")
        if request.method != "POST" or key is None:
            return handler(request, *self.args, **self.kwargs)
        if not _KEY.fullmatch(key):
            raise Problem("bad_idempotency_key")
        fingerprint = _fingerprint(request)
        claimed = KeptAnswer.claim(self.owner(request), key, fingerprint)
        with transaction.atomic():
            row = claimed.hold(fingerprint)
            if row.is_answered:
                return _replay(row)
            response = self._done(request, handler)
            if response.status_code in _NOT_KEPT:
                row.delete()
            else:
                row.keep(response.status_code, _headers(response), _text(response))
        return response

    def _done(self, request: Request, handler: Handler) -> HttpResponseBase:
        """The handler's answer, or its refusal: the verbs of billing do all or nothing."""
        try:
            return handler(request, *self.args, **self.kwargs)
        except Exception as error:  # noqa: BLE001 - it is raised again where it is no refusal
            return self.handle_exception(error)


def idempotency_key(request: Request, caller_name: str) -> str:
    """The key for billing's own memory, which outlasts the kept answer; empty without a header."""
    given = request.META.get("HTTP_IDEMPOTENCY_KEY", "")
    return f"api:{digest(f'{caller_name} {given}')}" if given else ""


def _fingerprint(request: Request) -> str:
    asked = [request.method, request._request.get_full_path(), request.data]
    return digest(json.canonical(asked).decode())


def _headers(response: HttpResponseBase) -> dict[str, str]:
    kept = {name: response[name] for name in _KEPT_HEADERS if response.has_header(name)}
    if isinstance(response, Response):
        kept["Content-Type"] = response.content_type or "application/json"
    return kept


def _text(response: HttpResponseBase) -> str:
    if isinstance(response, Response):
        from tallystick.api.bodies import JsonAnswer

        return "" if response.data is None else JsonAnswer().render(response.data).decode()
    assert isinstance(response, HttpResponse)  # noqa: S101 - nothing is streamed to a POST
    return response.content.decode()


def _replay(row: KeptAnswer) -> HttpResponse:
    response = HttpResponse(row.body.encode(), status=row.status)
    for name, value in row.headers.items():
        response[name] = value
    response["Idempotent-Replayed"] = "true"
    return response


def methods_of(resource: type[Resource]) -> Iterable[str]:
    """What can be done at it, as in `GET`."""
    names = ("get", "post", "put", "patch", "delete")
    return [name.upper() for name in names if hasattr(resource, name)]
