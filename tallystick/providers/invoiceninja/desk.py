"""Desk: how records of one kind are written, found again and put away."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import quote

from tallystick.ports.errors import Missing, ProviderError, Refused, Unauthorized
from tallystick.ports.records import Record, Remote
from tallystick.ports.roles import Gone, Outcome, Push
from tallystick.providers.invoiceninja.api import InvoiceNinjaApi
from tallystick.providers.invoiceninja.schema import HOSTED, InvoiceNinjaSettings, Many, One, State

R = TypeVar("R", bound=Record)
Payload = dict[str, Any]
ANOTHERS = "What is there bears the key %s, which is another's: it is left alone."

_HOSTED_WEB = f"https://app.{HOSTED}"


class Desk(ABC, Generic[R]):
    """There is no call for several records: each goes by itself."""

    noun: ClassVar[str]
    """The entity's name in addresses."""
    page: ClassVar[str]
    """Where a person finds one on the site, with `{id}` in it."""

    def __init__(self, api: InvoiceNinjaApi, settings: InvoiceNinjaSettings) -> None:
        self._api = api
        self._web = _HOSTED_WEB if settings.is_hosted else settings.api_url

    @abstractmethod
    def pushed(self, push: Push[R]) -> Remote:
        """Create or update; raises what stands against it."""

    @abstractmethod
    def found(self, record: R) -> Remote | None:
        """What is there under our key."""

    def push(self, batch: Sequence[Push[R]]) -> list[Outcome]:
        return [self._outcome(push) for push in batch]

    def find(self, records: Sequence[R]) -> list[Remote | None]:
        return [self.found(record) for record in records]

    def archive(self, batch: Sequence[Gone]) -> list[Outcome]:
        return [self._archived(gone) for gone in batch]

    def remote(self, state: State) -> Remote:
        url = f"{self._web}/#{self.page.format(id=state.id)}"
        return Remote(state.id, str(state.updated_at), url)

    def address(self, identity: str) -> str:
        return f"/{self.noun}/{quote(identity, safe='')}"

    def bulk(self, action: str, identity: str) -> State | None:
        """Do with one what is only offered for several; answers how it is now, when that is told."""
        reply = self._api.send(
            "POST", f"/{self.noun}/bulk", Many[State], json={"action": action, "ids": [identity]}
        )
        return next((state for state in reply.data if state.id == identity), None)

    def settled(self, state: State, *, is_active: bool) -> Remote:
        """Put away what is not active (any more)."""
        if is_active or state.is_put_away:
            return self.remote(state)
        return self.remote(self.bulk("archive", state.id) or state)

    def woken(self, state: State, *, is_active: bool) -> None:
        """What was deleted cannot be changed, and what is active is not to lie in the archive."""
        if state.is_deleted or (state.is_put_away and is_active):
            self.bulk("restore", state.id)

    def _outcome(self, push: Push[R]) -> Outcome:
        try:
            return self.pushed(push)
        except Unauthorized:
            raise
        except Refused as why:
            return why

    def _archived(self, gone: Gone) -> Outcome:
        try:
            state = self.bulk("archive", gone.remote.id)
        except Unauthorized:
            raise
        except Missing:
            return gone.remote
        except Refused as why:
            # An id that is not there (any more) is a field that does not validate.
            return gone.remote if self._is_gone(gone.remote.id) else why
        return self.remote(state) if state else gone.remote

    def _is_gone(self, identity: str) -> bool:
        try:
            return self._api.get(self.address(identity), One[State]).data.is_put_away
        except Missing:
            return True
        except ProviderError:
            return False
