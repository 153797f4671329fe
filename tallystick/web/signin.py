"""Signing in: what of allauth is done our way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.app_settings import AppSettings
from allauth.account.forms import (
    AddEmailForm,
    LoginForm,
    ResetPasswordForm,
    default_token_generator,
)
from allauth.account.internal.flows.email_verification import (
    send_verification_email_to_address,
)
from allauth.account.internal.flows.password_reset import request_password_reset
from allauth.account.internal.userkit import filter_users_by_email
from allauth.account.models import EmailAddress
from allauth.core import context
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sites.shortcuts import get_current_site
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from tallystick.events.requests import address_of
from tallystick.web.afterwards import afterwards
from tallystick.web.limits import Limit

if TYPE_CHECKING:
    from tallystick.people.models import User

RESETS = Limit("reset-name", times=5, seconds=3600)
"""Letters to one address; more are not sent, and the answer is the same."""

_Verification = AppSettings.EmailVerificationMethod


class SignInAdapter(DefaultAccountAdapter):  # type: ignore[misc] # it has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        del request
        return bool(settings.ACCOUNT_SIGNUP_OPEN)

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Whoever else has the address keeps it."""
        if _is_anothers(email_address.email, email_address.user):
            return False
        return bool(super().confirm_email(request, email_address))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Written now, sent once the answer is out."""
        request = self.request
        site = get_current_site(request)
        page = {"request": request, "email": email, "current_site": site, **context}
        afterwards(request, self.render_mail(template_prefix, email, page).send)


class SignInForm(LoginForm):  # type: ignore[misc] # it has no types
    """By user name or e-mail address."""

    def _login_with_password(
        self, request: HttpRequest, redirect_url: str | None, credentials: dict[str, Any]
    ) -> HttpResponse:
        # Whoever was put in by staff may come in at once; whoever signed up says first that the
        # address is theirs.
        waits = _signed_up_unconfirmed(self._login.user)
        self._login.email_verification = _Verification.MANDATORY if waits else _Verification.NONE
        answer: HttpResponse = super()._login_with_password(request, redirect_url, credentials)
        return answer


class ResetForm(ResetPasswordForm):  # type: ignore[misc] # it has no types
    """Whether anybody has the address is looked up once the answer is out."""

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        return email

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        email: str = self.cleaned_data["email"]
        if RESETS.count(email.casefold()):
            afterwards(request, lambda: _send_reset(request, email))
        return email


class NewAddressForm(AddEmailForm):  # type: ignore[misc] # it has no types
    """The address in use stays in use until the new one is confirmed, though staff wrote it and
    nobody ever confirmed it. Who has the new one is not told: it is only not written to."""

    def save(self, request: HttpRequest) -> EmailAddress:
        email: str = self.cleaned_data["email"]
        with transaction.atomic():
            waiting = EmailAddress.objects.filter(user=self.user, verified=False)
            waiting.exclude(email__iexact=self.user.email).delete()
            address = EmailAddress.objects.create(user=self.user, email=email)
        if not _is_anothers(email, self.user):
            send_verification_email_to_address(request, address)
        return address


def _is_anothers(email: str, user: User) -> bool:
    others = get_user_model()._default_manager.exclude(pk=user.pk)
    return others.filter(email__iexact=email).exists()


def _send_reset(request: HttpRequest, email: str) -> None:
    with context.request_context(request):
        users = filter_users_by_email(
            email.lower(), is_active=True, prefer_verified=True, for_login=True
        )
        if users:
            request_password_reset(request, email, users, default_token_generator)


def _signed_up_unconfirmed(user: User) -> bool:
    # Signing up makes the first address the primary one; addresses that staff wrote are not kept
    # in this table, or not as primary ones.
    own = EmailAddress.objects.filter(user=user)
    held = list(own.values_list("primary", "verified"))
    return (True, False) in held and not any(verified for _primary, verified in held)
