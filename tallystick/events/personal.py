"""Personal values in what is never changed: each is sealed under a key of the person it is of, so
that destroying the key erases them all and leaves the journal's chain whole.

A sealed value names its key, not its person: `v1:<uid of the key>:<nonce + ciphertext>`.
"""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import connection, models, transaction
from django.utils.translation import gettext as _

from tallystick.kit import clock, signing
from tallystick.kit.db.fields import EncryptedTextField
from tallystick.kit.encryption import Key, Keyring, is_sealed, new_key

if TYPE_CHECKING:
    from collections.abc import Sequence

KEPT = 2048
"""So many persons' keys a process remembers."""

_INSERT = """
INSERT INTO events_personkey (uid, subject, secret, created_at, destroyed_at)
VALUES (%(uid)s, %(subject)s, %(secret)s, %(created_at)s, %(destroyed_at)s)
ON CONFLICT DO NOTHING
"""

LONGEST = 160
"""Of a sealed network address."""


class PersonKey(models.Model):
    """The key of one person's values. `subject` says whose: `user:7`, `account:12`. Of one that was
    destroyed the row stays, so that nobody gets a second key."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    subject = models.CharField(max_length=80, unique=True)
    secret = EncryptedTextField(editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    destroyed_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"key of {self.subject}"

    @classmethod
    def of(cls, subject: str) -> PersonKey:
        """The key of `subject`, made unless there is one."""
        if kept := PersonKey.objects.filter(subject=subject).first():
            return kept
        made = PersonKey(subject=subject, secret=new_key())
        # Of two who make it at once, one has made it for both.
        return made if made._insert() else PersonKey.objects.get(subject=subject)

    def _insert(self) -> bool:
        """Store it, unless its subject has one; whether it was stored. As SQL, for of that Django's
        own `ignore_conflicts` says nothing."""
        named: dict[str, Any] = {
            str(field.column): field.get_db_prep_save(field.pre_save(self, True), connection)
            for field in self._meta.concrete_fields
        }
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, named)
            return bool(cursor.rowcount)

    @classmethod
    def destroy(cls, subjects: Iterable[str]) -> int:
        """Nobody reads again what was sealed for `subjects`; how many keys that were. Those who had
        none get a dead one, so that nothing is sealed for them later."""
        wanted = sorted(set(subjects))
        with transaction.atomic():
            dead = [PersonKey(subject=each) for each in wanted]
            PersonKey.objects.bulk_create(dead, ignore_conflicts=True)
            alive = PersonKey.objects.filter(subject__in=wanted, destroyed_at=None)
            had = alive.exclude(secret="").count()
            alive.update(secret="", destroyed_at=clock.now())
            transaction.on_commit(partial(_KEYS.forget, wanted))
        return had

    def sealer(self) -> Sealer:
        return Sealer(self.uid.hex, self.secret)


class Sealer:
    """What seals and opens with one person's key; one without a secret does neither."""

    __slots__ = ("_id", "_ring", "_secret")

    def __init__(self, key_id: str, secret: str) -> None:
        self._id, self._secret = key_id, secret
        self._ring = Keyring([Key.parse(f"{key_id}:{secret}")]) if secret else None

    def seal(self, text: str) -> str:
        """`text` sealed; empty where the key was destroyed: then it is not to be known."""
        return self._ring.encrypt(text.encode(), self._id.encode()) if self._ring else ""

    def open(self, text: str) -> str | None:
        """What `text` says; None where the key was destroyed."""
        return self._ring.decrypt(text, self._id.encode()).decode() if self._ring else None

    def digest(self, text: str) -> str:
        """The same for the same text and person, and of no use to whoever lacks the key."""
        return signing.hmac_sha256(self._secret, text.encode()).hex() if self._secret else ""


class _Keys:
    """The keys that this process has used of late. Only what is committed is remembered: a key that
    is rolled back would seal what nobody can open."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Sealer] = OrderedDict()
        self._lock = threading.Lock()
        self._local = threading.local()

    def of(self, subject: str) -> Sealer:
        with self._lock:
            if known := self._known.get(subject):
                self._known.move_to_end(subject)
                return known
        if fresh := self._fresh(subject):
            return fresh
        sealer = PersonKey.of(subject).sealer()
        remember = partial(self._remember, subject, sealer)
        self._local.fresh = (subject, sealer, remember)
        transaction.on_commit(remember)
        return sealer

    def forget(self, subjects: Sequence[str] = ()) -> None:
        """Forget those, or all."""
        with self._lock:
            for subject in subjects or list(self._known):
                self._known.pop(subject, None)
        self._local.fresh = None

    def _remember(self, subject: str, sealer: Sealer) -> None:
        with self._lock:
            self._known[subject] = sealer
            while len(self._known) > KEPT:
                self._known.popitem(last=False)

    def _fresh(self, subject: str) -> Sealer | None:
        """The key that the transaction at hand has read or made already."""
        fresh: tuple[str, Sealer, Callable[[], None]] | None = getattr(self._local, "fresh", None)
        if fresh is None or fresh[0] != subject:
            return None
        # What was rolled back is no longer among what happens at the commit.
        return fresh[1] if any(entry[1] is fresh[2] for entry in connection.run_on_commit) else None


_KEYS = _Keys()
forget_keys = _KEYS.forget


def sealer_of(subject: str) -> Sealer:
    """What seals for `subject`: at most one query, and none when it was asked of late."""
    return _KEYS.of(subject)


def seal(subject: str, text: str) -> str:
    """`text`, of the person `subject`, as it is stored; as it is where it is nobody's."""
    return sealer_of(subject).seal(text) if subject and text else text


class HasAddress:
    """A row with a network `address` that may be sealed."""

    address: str

    @property
    def address_shown(self) -> str:
        """The address, or that it was erased. Of many rows, `show_addresses` reads them at once."""
        if "_address_shown" not in vars(self):
            show_addresses([self])
        shown: str = vars(self)["_address_shown"]
        return shown


def show_addresses(rows: Iterable[HasAddress]) -> None:
    """Read the addresses of `rows` in one query. Not from what the process remembers: another may
    have destroyed a key a moment ago."""
    rows = list(rows)
    for row, text in zip(rows, opened([row.address for row in rows]), strict=True):
        vars(row)["_address_shown"] = _("erased") if text is None else text


def opened(texts: Sequence[str]) -> list[str | None]:
    """What each of `texts` says, in one query; None for what was erased."""
    ids = {text.split(":")[1] for text in texts if is_sealed(text)}
    keys: dict[str, Any] = {}
    if ids:
        held = PersonKey.objects.filter(uid__in=[uuid.UUID(key_id) for key_id in ids])
        keys = {key.uid.hex: key.sealer() for key in held}
    return [_open(text, keys) if is_sealed(text) else text for text in texts]


def _open(text: str, keys: dict[str, Sealer]) -> str | None:
    sealer = keys.get(text.split(":")[1])
    return sealer.open(text) if sealer else None
