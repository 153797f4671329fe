"""What is held of a person. Each app says here what its tables hold, how it is shown to them, what
happens to it when they are erased, and what is kept by which duty.

A model is registered by a `Holding`, or said to hold nothing of anybody by `holds_nothing`; a test
reads all models and fails for one that is neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import models

from tallystick.accounts.accounts import Account
from tallystick.accounts.apikeys import ApiKey
from tallystick.accounts.organisations import Organisation

if TYPE_CHECKING:
    from tallystick.people.models import User

_TELLING = 6
"""Letters of a name that is nobody else's word."""

Rows = models.QuerySet[Any]


class NobodyFound(Exception):
    """Nobody here goes by that e-mail address or id."""


class SeveralFound(Exception):
    """More than one go by that: name one by their id."""


class NotSettled(Exception):
    """There is money between us yet."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = list(reasons)


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom it is about: a person who signs in, with their account; or an organisation, with its own.
    With `keep_contact`, name, e-mail and postal address stay for now: they are still needed."""

    user: User | None
    account: Account | None
    organisation: Organisation | None = None
    keep_contact: bool = False

    @classmethod
    def of_user(cls, user: User) -> Whom:
        return cls(user, Account.objects.everywhere().filter(user=user).first())

    @classmethod
    def of_account(cls, account: Account) -> Whom:
        return cls(account.user, account, account.organisation)

    @classmethod
    def find(cls, text: str) -> Whom:
        """By e-mail address, or by the uid of a user, an account or an organisation. Raises
        `NobodyFound`, `SeveralFound`."""
        found = [*_found(text.strip())]
        if not found:
            raise NobodyFound(" ".join((NobodyFound.__doc__ or "").split()))
        if len(found) > 1:
            ids = ", ".join(f"{whom.kind} {whom.uid}" for whom in found)
            raise SeveralFound(f"{SeveralFound.__doc__} ({ids})")
        return found[0]

    @property
    def kind(self) -> str:
        return "organisation" if self.organisation else "person"

    @property
    def row(self) -> User | Organisation | Account:
        """What stands for them in the journal."""
        row = self.organisation or self.user or self.account
        if row is None:
            raise NobodyFound
        return row

    @property
    def uid(self) -> str:
        return str(getattr(self.row, "uid", self.row.pk))

    @property
    def users(self) -> list[int]:
        return [self.user.pk] if self.user else []

    @property
    def accounts(self) -> list[int]:
        return [self.account.pk] if self.account else []

    @property
    def organisations(self) -> list[int]:
        return [self.organisation.pk] if self.organisation else []

    @property
    def api_keys(self) -> list[int]:
        keys = ApiKey.objects.everywhere().filter(user__in=self.users)
        return list(keys.values_list("pk", flat=True))

    @property
    def subjects(self) -> list[str]:
        """By which their keys are named; see `events.personal`."""
        return [
            *(f"user:{pk}" for pk in self.users),
            *(f"account:{pk}" for pk in self.accounts),
            *(f"api_key:{pk}" for pk in self.api_keys),
        ]

    @property
    def names(self) -> list[str]:
        """What they are called here, as long as it cannot be another word: to be looked for in what
        others wrote."""
        person = self.user
        said = [self.account.name, self.account.email] if self.account else []
        if person is not None:
            said += [person.get_full_name(), person.email]
        if self.organisation is not None:
            said += [self.organisation.name, self.organisation.email]
        telling = {each for each in said if len(each) >= _TELLING and set(each) & {" ", "@"}}
        return sorted(telling, key=len, reverse=True)


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays of a person, because a duty asks for it: `until` a day, or until it is settled."""

    section: str
    count: int
    why: str
    until: date | None = None

    def __str__(self) -> str:
        end = f" until {self.until.isoformat()}" if self.until else ""
        return f"{self.section}: {self.count} kept{end}: {self.why}"


def nothing_erased(whom: Whom) -> int:
    del whom
    return 0


def nothing_kept(whom: Whom) -> Iterable[Kept]:
    del whom
    return ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Holding:
    """`show` names what of a row is told: attributes, with dots into related objects. `erase` does
    it and says of how many rows; `keep` says what stays. `hinders`: why it is too soon."""

    section: str
    model: type[models.Model]
    rows: Callable[[Whom], Rows]
    show: Sequence[str]
    erase: Callable[[Whom], int] = nothing_erased
    keep: Callable[[Whom], Iterable[Kept]] = nothing_kept
    hinders: Callable[[Whom], Iterable[str]] = field(default=lambda _: ())
    turn: int = 1
    """0 is erased first, while the others are still there to be found by; 2 last, by which they are
    found."""

    def told(self, whom: Whom) -> Iterator[dict[str, object]]:
        """What the person is told, row by row."""
        rows = self.rows(whom).order_by("pk")
        for row in rows.iterator(chunk_size=500):
            yield {name.replace(".", "_"): _value(row, name) for name in self.show}


_holdings: dict[str, Holding] = {}
_nothing: dict[str, str] = {}


def register(*holdings: Holding) -> None:
    _holdings.update({holding.section: holding for holding in holdings})


def holds_nothing(why: str, *labels: str) -> None:
    """Models, by label ("billing.Series"), that hold nothing of anybody, and why."""
    _nothing.update({label.lower(): why for label in labels})


def holdings() -> list[Holding]:
    """In the order in which they are erased."""
    return sorted(_holdings.values(), key=lambda holding: holding.turn)


def unregistered(every: Iterable[type[models.Model]]) -> list[str]:
    """Of these models, those of which nobody has said what they hold."""
    known = {holding.model._meta.label_lower for holding in _holdings.values()} | set(_nothing)
    return [model._meta.label for model in every if model._meta.label_lower not in known]


def held_nothing() -> Mapping[str, str]:
    return _nothing


def keeping_contact(whom: Whom) -> Whom:
    return replace(whom, keep_contact=True)


def _found(text: str) -> Iterator[Whom]:
    people = get_user_model()._default_manager
    accounts = Account.objects.everywhere().select_related("user", "organisation")
    organisations = Organisation.objects.everywhere()
    if "@" in text:
        yield from map(Whom.of_user, people.filter(email__iexact=text))
        yield from map(_of_organisation, organisations.filter(email__iexact=text))
        return
    try:
        uid = UUID(text)
    except ValueError:
        return
    yield from map(Whom.of_user, people.filter(uid=uid))
    yield from map(Whom.of_account, accounts.filter(uid=uid))
    yield from map(_of_organisation, organisations.filter(uid=uid))


def _of_organisation(organisation: Organisation) -> Whom:
    account = Account.objects.everywhere().filter(organisation=organisation).first()
    return Whom(None, account, organisation)


def _value(row: object, name: str) -> object:
    for part in name.split("."):
        row = getattr(row, part, None) if row is not None else None
    return row() if callable(row) else row
