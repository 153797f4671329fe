"""Actor: who does something, and from where."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    USER = "user"
    SYSTEM = "system"
    PROVIDER = "provider"
    API_KEY = "api_key"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Actor:
    """`label` is shown beside what they did, for ever: a role or a provider's name, never a
    person's. `address` is the network address the request came from; `person` says under whose key
    it is kept (see `personal`), where that is not the actor's own. `agent` is the browser or
    program; the journal does not keep it."""

    kind: ActorKind
    id: str = ""
    label: str = ""
    address: str = ""
    person: str = ""
    agent: str = ""

    @property
    def whose(self) -> str:
        """Whose the address is; empty where it is no person's."""
        if self.kind in (ActorKind.SYSTEM, ActorKind.PROVIDER):
            return ""
        return self.person or f"{self.kind.value}:{self.id}"


SYSTEM = Actor(ActorKind.SYSTEM, label="system")

_acting: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)


@contextmanager
def acting(actor: Actor) -> Iterator[Actor]:
    """What is recorded while the block runs was done by `actor`."""
    token = _acting.set(actor)
    try:
        yield actor
    finally:
        _acting.reset(token)


def current_actor() -> Actor:
    return _acting.get()
