"""How what a provider has differs from what we have, in words. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from decimal import Decimal

from tallystick.ports.records import Customer, Product, Record, RemoteCustomer, RemoteProduct

Told = tuple[str, str, str]
"""The field, what it is there, what it is here."""

ARCHIVED = "It was archived there."
RESTORED = "It is active there, not here."
STATE = "State"
_APART = re.compile(r"-[0-9a-f]{12}")
"""What a provider's client puts at the end of a code that is too long, or another's there."""
_DIGITS = 8
_SHORTEST_CUT = 50


def between(ours: Record, theirs: object) -> list[Told]:
    """The fields in which they differ. What only a provider's way of writing changes is none: case of
    an e-mail address, spaces, zeros, a name or a country that it filled in."""
    if isinstance(ours, Customer) and isinstance(theirs, RemoteCustomer):
        return list(_of_customer(ours, theirs))
    if isinstance(ours, Product) and isinstance(theirs, RemoteProduct):
        return list(_of_product(ours, theirs))
    return []


def in_words(ours: Record, theirs: object) -> str:
    """The same for people; empty when they agree."""
    if _is_active(ours) and not _is_active(theirs):
        return ARCHIVED
    told = [
        f"{name} {_quoted(there)} there, {_quoted(here)} here."
        for name, there, here in between(ours, theirs)
    ]
    return " ".join(told if _is_active(ours) or not _is_active(theirs) else [RESTORED, *told])


def names(ours: Record, theirs: object) -> list[str]:
    """What differs, without what it says; the first is whether it is archived."""
    state = [STATE] if _is_active(ours) != _is_active(theirs) else []
    return state + [name for name, *_ in between(ours, theirs)]


def conflicting(before: str, ours: Record, theirs: object) -> str:
    """The names of what differs because it was changed there, in words; empty when nothing was.
    `before` are the `prints` of what both sides said last."""
    new = changed(before, theirs)
    found = [name for name in names(ours, theirs) if name in new]
    if found[:1] == [STATE]:
        found[0] = "active" if _is_active(theirs) else "archived"
    return ", ".join(found).lower()


def prints(said: object) -> str:
    """A short digest of each compared field, of ours or of theirs: see `changed`."""
    values = _compared(said)
    digests = (hashlib.sha256(value.encode()).hexdigest()[:_DIGITS] for value in values.values())
    return " ".join(digests)


def changed(before: str, theirs: object) -> set[str]:
    """The fields of `theirs` that say something else than what `before` are the `prints` of; all,
    where that is not known."""
    fields, now = list(_compared(theirs)), prints(theirs).split()
    was = before.split()
    if len(was) != len(now):
        return set(fields)
    return {name for name, old, new in zip(fields, was, now, strict=True) if old != new}


def _is_active(said: object) -> bool:
    return bool(getattr(said, "is_active", True))


def _compared(said: object) -> dict[str, str]:
    """Field -> what it says, as it is compared. Both sides have the same names for the same."""
    state = {STATE: str(_is_active(said))}
    if isinstance(said, Customer | RemoteCustomer):
        at = said.address
        return state | {
            "Name": _folded(said.name),
            "E-mail address": _folded(said.email.lower()),
            "Phone": _folded(said.phone),
            "Tax number": _folded(said.tax_number),
            "Address": _folded(f"{at.line1} {at.line2}"),
            "City": _folded(at.city),
            "Region": _folded(at.region),
            "Postal code": _folded(at.postal_code),
            "Country": at.country,
        }
    if isinstance(said, Product | RemoteProduct):
        return state | {
            "Code": _folded(said.code),
            "Name": _folded(said.name),
            "Price": _plain(said.price),
            "Description": _folded(said.description),
        }
    return {}


def _of_customer(ours: Customer, theirs: RemoteCustomer) -> Iterator[Told]:
    for told in _differing(ours, theirs):
        if told[0] in {"Name", "Country"} and not told[2]:
            continue  # they have filled it in
        yield told


def _of_product(ours: Product, theirs: RemoteProduct) -> Iterator[Told]:
    for name, there, here in _differing(ours, theirs):
        is_other = {
            "Code": not _APART.fullmatch(there[-13:]) or not here.startswith(there[:-13]),
            "Name": theirs.name not in {"", theirs.code},
            # A price in another currency was never told them: there is none to compare with.
            "Price": theirs.currency in {"", ours.currency},
            # A provider may write more below it: category, country.
            "Description": here not in there if here else not _is_of_details(there, ours),
        }
        if is_other[name]:
            yield name, there, here


def _differing(ours: Record, theirs: object) -> Iterator[Told]:
    here = _compared(ours)
    for name, there in _compared(theirs).items():
        if name != STATE and there != here[name] and not _is_cut(there, here[name]):
            yield name, there, here[name]


def _is_cut(there: str, here: str) -> bool:
    """Whether a provider's client cut it to the length that there is."""
    is_long = len(there) >= _SHORTEST_CUT and there.endswith("…")
    return is_long and here.startswith(there[:-1])


def _is_of_details(there: str, ours: Product) -> bool:
    said = (ours.detail(name) for name in ("category", "country_of_origin"))
    return any(value and _folded(str(value)) in there for value in said)


def _folded(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> str:
    text = _folded(text)
    if not text:
        return "empty"
    return f"“{text[:60]}”" if not text.replace(".", "").isdecimal() else text


def _plain(value: Decimal) -> str:
    """With two decimal places, or more where they are needed."""
    text = f"{value.normalize():f}"
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest:0<2}"
