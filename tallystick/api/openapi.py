"""What drf-spectacular has to know of us besides what the resources say themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from tallystick.api.problem_kinds import KINDS

_PREFIX = "/api/v1/order-payments"
_NINJA = "/api/invoice-ninja/"
_ALIASES = tuple(f"{_PREFIX}/{name}/" for name in ("payment_link", "pay", "stats"))
Schema = dict[str, Any]


class Described(AutoSchema):  # type: ignore[no-untyped-call,unused-ignore]
    """As `described` says."""


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # not typed there
    target_class = "tallystick.api.authentication.KeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> Schema:
        del auto_schema
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, as in `Authorization: Bearer tally_…`.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # as above
    target_class = "tallystick.api.authentication.SignedIn"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> Schema:
        del auto_schema
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "Of who is signed in; writing needs `X-CSRFToken` besides.",
        }


class RelayScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # as above
    target_class = "tallystick.api.invoice_ninja.doors.RelayAuthentication"
    name = "relay"

    def get_security_definition(self, auto_schema: AutoSchema) -> Schema:
        del auto_schema
        return {
            "type": "apiKey",
            "in": "header",
            "name": "X-Webhook-Secret",
            "description": "The secret of a relay connection; or the headers of Standard Webhooks.",
        }


def ours(endpoints: list[Any]) -> list[Any]:
    """The addresses below the prefix, each once: those that are there twice by the longer."""
    return [
        each
        for each in endpoints
        if (each[0].startswith(_PREFIX) and not each[0].startswith(_ALIASES))
        or (each[0].startswith(_NINJA) and each[0].endswith("/") and each[0] != _NINJA)
    ]


def finish(result: Schema, generator: Any, request: Any, public: bool) -> Schema:  # noqa: ANN401 - as the hook
    """Add to every call how it can be refused, and to every POST the `Idempotency-Key`."""
    del generator, request, public
    components = result.setdefault("components", {}).setdefault("schemas", {})
    components["Problem"] = _PROBLEM
    components["Fault"] = _FAULT
    for path, calls in result["paths"].items():
        for method, call in calls.items():
            for status in _refusals(path, method, call):
                call["responses"].setdefault(status, _refusal(int(status)))
            if method == "post" and not path.startswith(_NINJA):
                call.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
                for response in call["responses"].values():
                    response.setdefault("headers", {})["Idempotent-Replayed"] = _REPLAYED
    return result


def _refusals(path: str, method: str, call: Schema) -> Iterator[str]:
    if path.startswith(_NINJA):
        yield from ("400", "401", "403", "404", "429")
        yield from () if method == "get" else ("409", "413", "415")
        return
    if call.get("security") != []:
        yield from ("401", "403")
    if "{" in path or "token" in str(call.get("parameters")):
        yield "404"
    if "/pay/" in path or path.endswith("invoices/payment_link/"):
        yield "410"
        if method == "post" or "pdf" in path:
            yield from ("401", "403", "409")
        else:
            yield from ("401", "403")
    if method != "get":
        yield from ("400", "409", "413", "415")
    yield from ("422", "429")


def _refusal(status: int) -> Schema:
    codes = sorted(code for code, kind in KINDS.items() if kind.status == status)
    words = ", ".join(f"`{code}`" for code in codes)
    return {
        "description": f"Refused; such as {words}." if words else "Refused, in the state it is in.",
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }


_TEXT: Schema = {"type": "string"}
_FAULT: Schema = {
    "type": "object",
    "required": ["pointer", "detail", "code"],
    "properties": {
        "pointer": _TEXT | {"description": "Where: a JSON pointer, or a parameter's name."},
        "detail": _TEXT,
        "code": _TEXT,
    },
}
_PROBLEM: Schema = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; `type` is a page that explains it.",
    "required": ["type", "title", "status", "code", "detail", "instance", "errors"],
    "properties": {
        **dict.fromkeys(("type", "title", "code", "detail", "instance"), _TEXT),
        "status": {"type": "integer"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
    },
    "examples": [
        {
            "type": "https://billing.example.org/api/problems/invalid/",
            "title": "Not valid",
            "status": 422,
            "code": "invalid",
            "detail": '/lines/0/quantity: Write an amount as text, such as "1190.00".',
            "instance": "/api/v1/order-payments/invoices/",
            "errors": [
                {
                    "pointer": "/lines/0/quantity",
                    "detail": 'Write an amount as text, such as "1190.00".',
                    "code": "invalid",
                }
            ],
        }
    ],
}
_IDEMPOTENCY_KEY: Schema = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"},
    "description": "Any word of your own, such as a UUID. The same request with the same key is "
    "done once; its repeat gets the first one's answer.",
}
_REPLAYED: Schema = {
    "schema": {"type": "string", "enum": ["true"]},
    "description": "There where it is the answer to an earlier request of the same key.",
}
