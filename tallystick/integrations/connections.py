"""Connection: one configured link of a website to one provider."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import SecretStr
from pydantic import ValidationError as SchemaError

from tallystick import queue
from tallystick.accounts.tenancy import TenantModel
from tallystick.events import record
from tallystick.integrations import registry, sources
from tallystick.kit import clock, signing
from tallystick.kit.db.fields import EncryptedJSONField
from tallystick.ports.fields import FieldLabels
from tallystick.ports.provider import Settings
from tallystick.ports.records import Record, fingerprint
from tallystick.queue.backoff import full_jitter
from tallystick.queue.leases import Leased

BREAKER_FAILURES = 5
"""So many failed calls in a row rest the whole connection: it is down, not its records."""
BREAKER_BASE = timedelta(seconds=5)
BREAKER_CAP = timedelta(minutes=15)


class BadCredentials(ValueError):
    """The settings of a connection are incomplete or malformed."""


FAULTS = ("failures", "rests_until", "rest_reason", "sync_error")
SETTINGS = (
    *("website", "type", "name", "is_active", "conflict_rule"),
    *("account", "credentials", "custom_data"),
    *("needs_reconnect", *FAULTS, "updated_at"),
)
ANOTHER_COMPANY = (
    "these settings lead to another company than the one this connection has been in step with; "
    "make a new connection for it."
)
UNKNOWN_COMPANY = (
    "its address has changed, and it cannot be asked which company it leads to. If that is the same "
    "one, say so by testing the connection in the admin; if not, make a new connection for it."
)
WORKING = models.Q(is_active=True, needs_reconnect=False)
"""A condition: may be spoken to at all; switched on, credentials not refused."""


class Connection(Leased, TenantModel):
    """Credentials, state and limits of one link of a website to one provider.

    `custom_data` holds what is not secret (tenant id, account codes, ...), `credentials` what is;
    together they are the provider's `Settings`.
    """

    class SyncStatus(models.TextChoices):
        IDLE = "IDLE"
        RUNNING = "RUNNING"
        SUCCESS = "SUCCESS"
        PARTIAL = "PARTIAL"
        ERROR = "ERROR"

    class ConflictRule(models.TextChoices):
        ASK = "ask", gettext_lazy("Ask: show it, and send nothing over it until staff decide")
        LOCAL_WINS = "local_wins", gettext_lazy("Ours counts: send ours again")
        REMOTE_WINS = "remote_wins", gettext_lazy("Theirs counts: take it over here")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    type = models.CharField(max_length=32, choices=registry.choices)
    name = models.CharField(max_length=100)
    credentials = EncryptedJSONField(default=dict, blank=True)
    custom_data = models.JSONField(default=dict, blank=True)
    account = models.CharField(
        max_length=100, blank=True, db_index=True, help_text="The provider's id of the company."
    )
    account_proof = models.CharField(max_length=64, blank=True, editable=False)
    """A digest of the settings that were seen to lead to that company."""
    is_active = models.BooleanField(default=True)
    conflict_rule = models.CharField(
        gettext_lazy("when a customer or product was changed there"),
        max_length=12,
        choices=ConflictRule,
        default=ConflictRule.ASK,
        help_text=gettext_lazy(
            "What becomes of it when somebody changes, in the other system, a customer or product "
            "that was sent from here. Whatever is chosen: nobody's log-in address is changed "
            "unseen, nor anything of staff; that is always shown, for you to decide."
        ),
    )
    field_labels = models.JSONField(default=dict, editable=False)
    """Kind -> field -> what the company calls it there, as last read."""
    from_environment = models.BooleanField(default=False, editable=False)
    sync_status = models.CharField(
        max_length=10, choices=SyncStatus, default=SyncStatus.IDLE, editable=False
    )
    sync_error = models.TextField(blank=True, editable=False)
    notice = models.TextField(blank=True, editable=False)
    """What a person is to see to, and keeps nothing from going on."""
    last_synced_at = models.DateTimeField(null=True, editable=False)
    needs_reconnect = models.BooleanField(default=False, editable=False)
    rests_until = models.DateTimeField(null=True, editable=False)
    rest_reason = models.CharField(max_length=200, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    served_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["website", "type", "name"],
                name="connection_named_once",
                violation_error_message="This website has a connection of that type and name.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        rivals = {"INVOICE_NINJA": "INVOICE_NINJA_RELAY", "INVOICE_NINJA_RELAY": "INVOICE_NINJA"}
        if self.is_active and self.type in rivals and self.website_id:
            others = Connection.objects.of(self.website_id).filter(is_active=True)
            if others.filter(type=rivals[self.type]).exclude(pk=self.pk).exists():
                raise ValidationError(
                    {
                        "is_active": _(
                            "The other route to Invoice Ninja is active at this website: a user "
                            "would be sent twice. Switch that one off first."
                        )
                    }
                )

    @property
    def provider(self) -> registry.ProviderClass:
        return registry.provider_class(self.type)

    @property
    def reads(self) -> frozenset[str]:
        """The details of records that it has a place for; raises `BadCredentials`."""
        return self.provider.reads_with(self.settings())

    def digest(self) -> Callable[[Record], str]:
        """What tells apart what records say here; raises `BadCredentials`."""
        provider, settings = self.provider, self.settings()
        return lambda record: fingerprint(record, provider.otherwise(record, settings))

    def settings(self) -> Settings:
        """The provider's settings; raises `BadCredentials`, which names fields, never values."""
        given = {**self.custom_data, **self.credentials}
        try:
            return self.provider.settings_class.model_validate(given)
        except SchemaError as error:
            raise BadCredentials(_complaint(error)) from None

    def may_be_called(self) -> str:
        """Why it must not be called now; empty when it may."""
        if not self.is_active:
            return "It is switched off."
        if self.needs_reconnect:
            return self.sync_error
        if self.rests_until and self.rests_until > clock.now():
            return f"Rests until {self.rests_until:%Y-%m-%d %H:%M:%S} UTC: {self.rest_reason}"
        return ""

    def configure(self, credentials: Mapping[str, Any], custom_data: Mapping[str, Any]) -> None:
        """Take these settings and forget what was wrong with the ones before; the caller saves.

        Raises `BadCredentials`, also when they lead to another company than the one that the
        connection's links speak of."""
        self.credentials, self.custom_data = dict(credentials), dict(custom_data)
        if wrong := sources.unknown(self.provider, custom_data):
            raise BadCredentials(wrong)
        if account := self.provider(self.settings()).account():
            self._is_same(account)
            self.account = account
        self.mended()

    def is_proven(self) -> bool:
        """Whether its settings are those that were seen to lead to its company. Raises
        `BadCredentials`."""
        if not self.provider.leads:
            return True
        is_known = bool(self.account) or self.provider.by_callback
        return is_known and self.account_proof == self._proof()

    def led_to(self, account: str, *, is_vouched: bool = False) -> None:
        """Its settings were seen to lead to this company; empty where that cannot be asked, and a
        person vouches for it or nobody. Raises `BadCredentials` where what it knows is another's."""
        if account:
            self._is_same(account)
        elif self.account_proof and self._is_in_use() and not is_vouched:
            raise BadCredentials(UNKNOWN_COMPANY)
        self._note(account=account or self.account, account_proof=self._proof())

    def _is_same(self, account: str) -> None:
        if self.account and account != self.account and self._is_in_use():
            raise BadCredentials(ANOTHER_COMPANY)

    def _is_in_use(self) -> bool:
        """Whether anything of ours is there, or may be."""
        if not self.pk:
            return False
        sent = self.links.exclude(remote_id="", attempt_key="")
        return sent.exists() or self.remote_records.exists()

    def _proof(self) -> str:
        if not self.provider.leads:
            return ""
        settings = self.settings().model_dump(include=set(self.provider.leads))
        plain = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in settings.items()
        }
        return signing.digest(json.dumps([self.type, plain], sort_keys=True))

    def choose_fields(self, chosen: Mapping[str, Mapping[str, str]]) -> None:
        """Store what goes into which field: setting -> field -> source. Raises `BadCredentials`."""
        custom_data = {**self.custom_data, **chosen}
        self.custom_data = {name: value for name, value in custom_data.items() if value != {}}
        if wrong := sources.unknown(self.provider, self.custom_data):
            raise BadCredentials(wrong)
        self.settings()
        self._note(custom_data=self.custom_data)

    def keep_labels(self, labels: FieldLabels) -> None:
        """Store what the company calls its fields."""
        self._note(field_labels={kind.value: dict(names) for kind, names in labels.items()})

    def keep_settings(self) -> None:
        """Store what staff decide, and nothing that a worker holds meanwhile: lease and fence."""
        if self._state.adding:
            self.save()
        else:
            self.save(update_fields=SETTINGS)

    def mended(self) -> None:
        """Forget what was wrong with it; the caller saves."""
        self.needs_reconnect, self.failures = False, 0
        self.rests_until, self.rest_reason, self.sync_error = None, "", ""
        self.updated_at = clock.now()

    def mend(self) -> None:
        """It was seen to work: forget what was wrong with it, and go on."""
        self.mended()
        self.save(update_fields=["needs_reconnect", *FAULTS, "updated_at"])
        queue.wake("connections")

    def rest(self, until: datetime, reason: str) -> None:
        """Send nothing before `until`; other connections go on."""
        self._note(rests_until=until, rest_reason=reason[:200])

    def refuse(self, words: str) -> None:
        """The credentials are dead: say so once, in `words` that ask to reconnect, and let the links
        wait. Not where they have been replaced since this object was read: that was said of the old
        ones."""
        same = Connection.objects.everywhere().filter(pk=self.pk, updated_at=self.updated_at)
        changed = same.filter(needs_reconnect=False)
        if changed.update(
            needs_reconnect=True, sync_status=self.SyncStatus.ERROR, sync_error=words
        ):
            record("connection.refused", self, website=self.website)

    def failed(self, now: datetime, reason: str) -> None:
        """A call did not get through. Five in a row: rest and probe, ever more rarely."""
        self.failures += 1
        self._note(failures=self.failures, sync_error=reason)
        if self.failures >= BREAKER_FAILURES:
            pause = full_jitter(
                self.failures - BREAKER_FAILURES, base=BREAKER_BASE, cap=BREAKER_CAP
            )
            self.rest(now + max(pause, BREAKER_BASE), f"Resting after failures: {reason}")

    def tell(self, reason: str) -> None:
        """Something about it is to be seen to by a person, and keeps nothing from going on. It stands
        until who told it takes it back, by an empty one."""
        if reason != self.notice:
            self._note(notice=reason)

    def answered(self) -> None:
        """A call got through: whatever was wrong with the way there is over. What limits asked for
        since is not."""
        rested = self.rests_until and self.rests_until <= clock.now()
        if self.failures or rested or self.sync_error:
            self._note(failures=0, rests_until=None, rest_reason="", sync_error="")

    @property
    def is_out(self) -> bool:
        """Whether the breaker is open or half-open: failures are the connection's, not a link's."""
        return self.failures >= BREAKER_FAILURES

    def _note(self, **values: object) -> None:
        for name, value in values.items():
            setattr(self, name, value)
        Connection.objects.everywhere().filter(pk=self.pk).update(**values)


def _complaint(error: SchemaError) -> str:
    fields: Iterable[str] = (
        f"{'.'.join(map(str, item['loc'])) or 'settings'}: {item['msg']}"
        for item in error.errors(include_input=False, include_url=False, include_context=False)
    )
    return "; ".join(fields)
