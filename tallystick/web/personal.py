"""What signing in keeps of a person; see `accounts.personal`."""

from __future__ import annotations

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from django.db import models

from tallystick.accounts.personal import Holding, Whom, holds_nothing, register


def install() -> None:
    register(
        Holding(
            section="addresses to sign in by",
            model=EmailAddress,
            rows=lambda whom: _of(EmailAddress, whom),
            show=["email", "verified", "primary"],
            erase=lambda whom: _of(EmailAddress, whom).delete()[0],
        ),
        Holding(
            section="second factors",
            model=Authenticator,
            rows=lambda whom: _of(Authenticator, whom),
            show=["type", "created_at", "last_used_at"],
            erase=lambda whom: _of(Authenticator, whom).delete()[0],
        ),
    )
    holds_nothing(
        "Not used: what is to be confirmed is signed into the link itself.",
        EmailConfirmation._meta.label,
    )


def _of(model: type[models.Model], whom: Whom) -> models.QuerySet[models.Model]:
    return model._default_manager.filter(user__in=whom.users)
