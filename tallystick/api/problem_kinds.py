"""The kinds of problems: a stable word for each, its status, and what it means. `docs/api.md` and the
pages under `/api/problems/` are made of this table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus as H

from tallystick.billing.errors import BillingError


@dataclass(frozen=True, slots=True)
class Kind:
    status: int
    title: str
    help: str


KINDS: dict[str, Kind] = {
    "malformed_json": Kind(H.BAD_REQUEST, "The body cannot be read", "Send one JSON object."),
    "not_authenticated": Kind(
        H.UNAUTHORIZED,
        "Not signed in",
        "Send an API key: Authorization: Bearer tally_...",
    ),
    "key_refused": Kind(
        H.UNAUTHORIZED,
        "The API key is refused",
        "It does not exist, or is expired or revoked. Staff make a new one in the admin.",
    ),
    "forbidden": Kind(
        H.FORBIDDEN, "Not allowed", "You may see this, but not do that with it: ask the website."
    ),
    "scope_missing": Kind(
        H.FORBIDDEN, "The key lacks a scope", "Use a key that was given the scope that is named."
    ),
    "secret_refused": Kind(
        H.FORBIDDEN,
        "The webhook secret is refused",
        "Send X-Webhook-Secret, or a Standard Webhooks signature of the last five minutes, with the "
        "secret of an active relay connection of this site.",
    ),
    "not_found": Kind(
        H.NOT_FOUND,
        "Not found",
        "There is nothing at this address that you may see. Addresses end in a slash.",
    ),
    "method_not_allowed": Kind(
        H.METHOD_NOT_ALLOWED, "Not done here", "The Allow header names what can be done here."
    ),
    "link_expired": Kind(
        H.GONE, "The payment link has expired", "Ask for a new link; the invoice is still open."
    ),
    "link_revoked": Kind(
        H.GONE, "The payment link was withdrawn", "Use a newer link, or ask for one."
    ),
    "link_used": Kind(
        H.GONE, "The payment link has been used", "To pay the rest, ask for a new link."
    ),
    "link_void": Kind(H.GONE, "The invoice is void", "Nothing is owed for it."),
    "too_large": Kind(
        H.REQUEST_ENTITY_TOO_LARGE, "The body is too large", "Send at most one mebibyte."
    ),
    "unsupported_media_type": Kind(
        H.UNSUPPORTED_MEDIA_TYPE, "Not JSON", "Send Content-Type: application/json."
    ),
    "invalid": Kind(H.UNPROCESSABLE_ENTITY, "Not valid", "What is wrong is listed under `errors`."),
    "bad_query": Kind(
        H.UNPROCESSABLE_ENTITY, "The query is not valid", "Correct the parameter that is named."
    ),
    "bad_cursor": Kind(
        H.UNPROCESSABLE_ENTITY,
        "The cursor does not fit",
        "Follow `next` and `previous` as they are; begin anew when filters change.",
    ),
    "bad_idempotency_key": Kind(
        H.UNPROCESSABLE_ENTITY,
        "The Idempotency-Key cannot be used",
        "It has 1 to 255 printable ASCII characters.",
    ),
    "idempotency_in_flight": Kind(
        H.CONFLICT,
        "The first request is still under way",
        "Send the same request again in a moment.",
    ),
    "idempotency_key_reused": Kind(
        H.UNPROCESSABLE_ENTITY,
        "The Idempotency-Key was used before",
        "It belongs to another request: use a new key for this one.",
    ),
    "already_synced": Kind(
        H.CONFLICT, "Already in step", 'Nothing is to be done. {"force": true} sends it again.'
    ),
    "other_remote_id": Kind(
        H.CONFLICT,
        "Another id is known",
        "Nothing was changed. See in Invoice Ninja which of the two is right.",
    ),
    "throttled": Kind(
        H.TOO_MANY_REQUESTS, "Too many requests", "Wait as long as Retry-After says."
    ),
}

POINTERS = {
    "bad_amount": "/amount",
    "bad_credit": "/lines",
    "bad_key": "",
    "credit_before_issue": "/issue_date",
    "due_before_issue": "/due_date",
    "insufficient_funds": "/method",
    "bad_expiry": "/expires_at",
    "bad_line": "/lines",
    "no_lines": "/lines",
    "other_website": "/client",
    "no_reason": "/reason",
    "not_allowed": "/method",
    "too_many_lines": "/lines",
    "too_much": "/amount",
    "unknown_currency": "/currency",
    "unknown_method": "/method",
    "whole_sum_only": "/amount",
    "wrong_currency": "/currency",
}
"""Where in the body a refusal of billing points to."""

_STATUS: dict[str, int] = {
    "wrong_state": H.CONFLICT,
    "issued": H.CONFLICT,
    "not_deletable": H.CONFLICT,
    "prefix_taken": H.CONFLICT,
    "edited_meanwhile": H.CONFLICT,
    "insufficient_funds": H.CONFLICT,
    "link_used": H.GONE,
    "not_allowed": H.FORBIDDEN,
    "unknown_link": H.NOT_FOUND,
    "replaced_link": H.GONE,
}
"""Of a kind of refusal and all that are special cases of it; of the others it is 422."""


def kind_of(error: Exception) -> tuple[str, int]:
    """The word for a refusal of billing, and its status: that of the nearest kind that has one."""
    code = error.code if isinstance(error, BillingError) else _word(type(error))
    return code, _status(type(error))


def _status(kind: type[Exception]) -> int:
    words = map(_word, kind.__mro__)
    return next((_STATUS[word] for word in words if word in _STATUS), H.UNPROCESSABLE_ENTITY)


def refusals_of_billing() -> Iterator[tuple[str, Kind]]:
    """Every refusal that billing knows, as a kind of problem."""
    seen: set[str] = set()
    waiting: list[type[BillingError]] = [BillingError]
    while waiting:
        error = waiting.pop()
        waiting += error.__subclasses__()
        code = _word(error)
        if error is BillingError or code in seen or not error.__doc__:
            continue
        seen.add(code)
        words = " ".join(error.__doc__.split())
        yield code, Kind(_status(error), _title(code), words)


def named(code: str) -> Kind | None:
    """The kind that `code` names."""
    return KINDS.get(code) or dict(refusals_of_billing()).get(code)


def _title(code: str) -> str:
    return code.replace("_", " ").capitalize()


def _word(kind: type) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in kind.__name__).lstrip("_")
