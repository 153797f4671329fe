"""The contacts of a client: a list that is sent replaces the one that is there."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tallystick.kit import signing
from tallystick.providers.invoiceninja.sandbox.answers import Row
from tallystick.providers.invoiceninja.sandbox.reading import Form

_LENGTHS: dict[str, int | None] = {
    "first_name": 191,
    "last_name": 191,
    "email": 100,
    "phone": 255,
    "password": 191,
    **{f"custom_value{n}": 191 for n in (1, 2, 3, 4)},
}
_EMAIL = re.compile(r"[^\s@<>(),;:\"]+@[^\s@<>(),;:\"]+")
_BLANK: Row = {
    "first_name": "",
    "last_name": "",
    "email": "",
    "phone": "",
    "password": "",
    **{f"custom_value{n}": "" for n in (1, 2, 3, 4)},
    "send_email": True,
    "cc_only": False,
    "can_sign": False,
}


def read(form: Form) -> list[Row] | None:
    """What is sent as `contacts`; None when it is not. What is wrong goes to `form`."""
    parts = form.parts("contacts")
    if parts is None:
        return None
    found: list[Row] = []
    for place, part in enumerate(parts):
        part.texts(_LENGTHS)
        part.flags(("send_email", "cc_only", "can_sign", "is_primary"))
        name = f"contacts.{place}"
        email = part.fields.get("email", "")
        if email and not _EMAIL.fullmatch(email):
            part.refuse("email", f"The {name}.email must be a valid email address.")
        if email and email.lower() in {c.get("email", "").lower() for c in found}:
            part.refuse("email", f"The {name}.email field has a duplicate value.")
        found.append({**part.fields, "id": str(part.given.get("id") or "")})
        form.adopt(part, name)
    return found


def replaced(held: Iterable[Row], given: list[Row], *, ids: Iterable[str], now: int) -> list[Row]:
    """The contacts of a client after `given` was sent: those held and not named by their id are
    gone. `ids` for new ones."""
    known = {contact["id"]: contact for contact in held}
    fresh = iter(ids)
    found = []
    for sent in given or [{}]:
        # An id of another client's contact makes a new one, as an unknown id does.
        before = known.pop(sent.get("id", ""), None) or _new(next(fresh), now)
        found.append({**before, **sent, "id": before["id"], "updated_at": now})
    if not any(contact["send_email"] for contact in found):
        found[0]["send_email"] = True
    for place, contact in enumerate(found):
        contact["is_primary"] = place == 0
    return found


def shown(contact: Row, public_url: str) -> Row:
    return {
        **contact,
        "password": "**********" if contact["password"] else "",
        "is_locked": False,
        "last_login": 0,
        "archived_at": 0,
        "link": f"{public_url}/client/key_login/{contact['contact_key']}",
    }


def _new(identity: str, now: int) -> Row:
    key = signing.digest(f"invoiceninja:contact:{identity}")[:32]
    return {"id": identity, **_BLANK, "contact_key": key, "created_at": now}
