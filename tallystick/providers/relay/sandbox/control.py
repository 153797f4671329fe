"""What goes wrong behind the go-between's back, and what people do there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from tallystick.kit.clock import Clock
from tallystick.ports.sandboxing import BadAction, Stand, action
from tallystick.providers.relay.sandbox.books import NOUNS, Books, Entry, Noun
from tallystick.providers.relay.sandbox.callbacks import Callbacks

DEFAULT_SECRET = "relay-sandbox-secret"  # noqa: S105 - of the sandbox
_MOST = 10_000
_LATEST = 30 * 86_400


@dataclass(slots=True)
class Failing:
    """The next works that fail, and what the callback says of them."""

    left: int = 0
    message: str = ""
    retry: bool = True


class Control(Stand):
    """A user or a product is named by our key, by Invoice Ninja's id or by the site's number."""

    def __init__(self, clock: Clock | None = None, *, public_url: str = "") -> None:
        super().__init__(clock, public_url=public_url)
        self._fresh()

    def _fresh(self) -> None:
        self.secret = DEFAULT_SECRET
        self.books = Books()
        self.callbacks = Callbacks()
        self.failing = Failing()
        self.is_silent = False
        self.losing = 0
        self.forgets_keys = False
        self.done: set[str] = set()
        """The ids of deliveries that were worked off."""

    @property
    def callback_url(self) -> str:
        return self.callbacks.url

    @callback_url.setter
    def callback_url(self, url: str) -> None:
        self.callbacks.url = url

    def entry(self, noun: str, name: str) -> Entry:
        """What there is of a user or a product; `BadAction` when there is nothing."""
        found = self.books.named(self._noun(noun), name)
        if found is None:
            raise BadAction(f"There is no {noun} {name!r}.")
        return found

    @action
    def configure(self, callback_url: str = "", secret: str = "") -> dict[str, object]:
        """Where the site is, without the path of its API, and the secret that both sides know; what
        is empty stays as it is."""
        self.callback_url = callback_url or self.callback_url
        self.secret = secret or self.secret
        return {"callback_url": self.callback_url, "webhook_url": self.webhook_url}

    @property
    def webhook_url(self) -> str:
        return f"{self.public_url}/webhook/invoice-ninja-sync"

    @action
    def fail_next(
        self, count: int = 1, message: str = "Invoice Ninja does not answer.", *, retry: bool = True
    ) -> dict[str, object]:
        """The next works fail, and the callbacks say so; `retry`: they ask to be sent again."""
        if not 0 <= int(count) <= _MOST:
            raise BadAction(f"count is from 0 to {_MOST}.")
        self.failing = Failing(int(count), message, retry)
        return {"failing": self.failing.left}

    @action
    def silence(self, on: bool = True) -> dict[str, object]:
        """Accept, do the work, and never call back."""
        self.is_silent = on
        return {"silent": on}

    @action
    def lose_next(self, count: int = 1) -> dict[str, object]:
        """Accept the next ones and do nothing, as after a crash: no work, no callback."""
        if not 0 <= int(count) <= _MOST:
            raise BadAction(f"count is from 0 to {_MOST}.")
        self.losing = int(count)
        return {"losing": self.losing}

    @action
    def forget_keys(self, on: bool = True) -> dict[str, object]:
        """Make what is told as new without a search by its key, as a simple workflow does: nothing
        but the delivery's id tells a repeat."""
        self.forgets_keys = on
        return {"forgets_keys": on}

    @action
    def delay(self, seconds: int = 0) -> dict[str, object]:
        """Let so much time pass between the work and its callback."""
        if not 0 <= int(seconds) <= _LATEST:
            raise BadAction(f"seconds is from 0 to {_LATEST}.")
        self.callbacks.delay = timedelta(seconds=int(seconds))
        return {"delay": int(seconds)}

    @action
    def repeat_callback(self, name: str, *, noun: str = "user") -> dict[str, object]:
        """Say once more, letter by letter, what was said last of it."""
        entry = self.books.named(self._noun(noun), str(name))
        if not self.callbacks.again(entry.key if entry else str(name), self.now()):
            raise BadAction(f"Nothing was said of {name!r} yet.")
        return {"waiting": len(self.callbacks.waiting)}

    @action
    def call_back(
        self,
        name: str,
        *,
        remote_id: str = "",
        message: str = "",
        retry: bool = False,
        delivery: str = "",
        noun: str = "user",
    ) -> dict[str, object]:
        """Say anything, true or not, also of one that it never heard of: that it is `remote_id`
        there, or without one that it failed. Unless `delivery` says, it is for none in particular."""
        told, name = self._noun(noun), str(name)
        entry = self.books.named(told, name)
        unheard_of: object = int(name) if name.isdecimal() else name
        about: dict[str, object] = {
            told.local_id: entry.local_id if entry else unheard_of,
            told.remote_id: remote_id or None,
            "key": entry.key if entry else None,
        }
        if delivery:
            about["delivery_id"] = delivery
        self._say(told, about, message=message, retry=retry)
        return {"waiting": len(self.callbacks.waiting)}

    def _say(
        self, noun: Noun, about: Mapping[str, object], *, message: str = "", retry: bool = False
    ) -> None:
        """Queue a callback with the common parts of all."""
        body = {
            **about,
            "success": about[noun.remote_id] is not None,
            "message": message,
            "retry": retry,
            "timestamp": self.now().isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
        self.callbacks.call(noun.callback, body, secret=self.secret, now=self.now())

    def _noun(self, word: str) -> Noun:
        if word not in NOUNS:
            raise BadAction(f"noun is one of {', '.join(NOUNS)}.")
        return NOUNS[word]
