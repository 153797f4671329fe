"""ApiKey: lets a program act as one of our users, at one website, within its scopes."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.roles import role_of
from tallystick.accounts.tenancy import TenantModel
from tallystick.accounts.websites import Website
from tallystick.kit import clock, signing

if TYPE_CHECKING:
    from tallystick.people.models import User


_FORMAT = re.compile(r"tally_(?P<prefix>[0-9a-f]{12})_(?P<secret>[A-Za-z0-9_-]{43})")
_USE_NOTED_EVERY = timedelta(minutes=1)


class Scope(models.TextChoices):
    READ = "read", _("read everything")
    INVOICES = "invoices", _("create and change invoices")
    PAYMENTS = "payments", _("take and refund payments")
    CUSTOMERS = "customers", _("create and change customers")
    PRODUCTS = "products", _("create and change products")
    INTEGRATIONS = "integrations", _("manage connections and syncs")


def validate_scopes(scopes: object) -> None:
    if not isinstance(scopes, list) or not scopes:
        raise ValidationError(_("Scopes are a list of at least one."))
    for scope in scopes:
        if scope not in Scope.values:
            raise ValidationError(
                _("%(scope)s is not a scope; there are %(scopes)s."),
                params={"scope": scope, "scopes": ", ".join(Scope.values)},
            )


class ApiKey(TenantModel):
    """The key itself is shown once; kept are its beginning, to find it, and its digest."""

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        ASLEEP = "asleep", _("asleep: its user may not sign in")
        EXPIRED = "expired", _("expired")
        REVOKED = "revoked", _("revoked")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="api_keys",
        verbose_name=_("user"),
        help_text=_("What is done with the key is done in this person's name and rights."),
    )
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("begins with"), max_length=12, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(_("scopes"), validators=[validate_scopes])
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} (tally_{self.prefix}…)"

    @classmethod
    def issue(
        cls,
        *,
        website: Website,
        user: User,
        name: str,
        scopes: Sequence[str],
        expires_at: datetime | None = None,
    ) -> tuple[ApiKey, str]:
        """A new key, and its text, which nobody can tell again. Raises `ValidationError`."""
        key = cls(website=website, user=user, name=name, scopes=list(scopes), expires_at=expires_at)
        plaintext = key.draw()
        key.full_clean()
        key.save()
        return key, plaintext

    def draw(self) -> str:
        """Give this unsaved key a fresh secret and answer its text."""
        self.prefix = uuid.uuid4().hex[:12]
        plaintext = f"tally_{self.prefix}_{signing.token(256)}"
        self.digest = signing.digest(plaintext)
        return plaintext

    @classmethod
    def verify(cls, text: str) -> ApiKey | None:
        """The usable key that `text` is; None for a wrong, expired or revoked one, all the same."""
        match = _FORMAT.fullmatch(text)
        prefix, given = (match["prefix"], text) if match else ("", "")
        found = (
            cls.objects.everywhere().filter(prefix=prefix).select_related("website", "user").first()
        )
        # A comparison is made in any case, so that the time does not tell which prefixes exist.
        fits = signing.same(signing.digest(given), found.digest if found else "0" * 64)
        if found is None or not fits or found.state != cls.State.ACTIVE:
            return None
        found.note_use()
        return found

    def clean(self) -> None:
        super().clean()
        if self.website_id and self.user_id and role_of(self.user, self.website) is None:
            raise ValidationError({"user": _("This person has nothing to do with the website.")})

    @classmethod
    def client_filter(cls, user: User) -> Q:
        return Q(user=user)

    @property
    def state(self) -> State:
        if self.revoked_at:
            return self.State.REVOKED
        if self.expires_at and self.expires_at <= clock.now():
            return self.State.EXPIRED
        return self.State.ACTIVE if self.user.is_active else self.State.ASLEEP

    def allows(self, scope: Scope) -> bool:
        return scope in self.scopes

    def note_use(self) -> None:
        """Remember that the key was used: at most one write a minute, whoever else writes it."""
        now = clock.now()
        due = now - _USE_NOTED_EVERY
        if self.last_used_at is None or self.last_used_at <= due:
            stale = Q(last_used_at=None) | Q(last_used_at__lte=due)
            ApiKey.objects.everywhere().filter(stale, pk=self.pk).update(last_used_at=now)
            self.last_used_at = now

    def revoke(self) -> None:
        """From now on the key opens nothing. Revoking twice keeps the first time."""
        if self.revoked_at is None:
            self.revoked_at = clock.now()
            self.save(update_fields=["revoked_at"])
