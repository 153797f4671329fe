"""The second factor: codes of an app, and recovery codes for the day it is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import segno
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.conf import settings
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.models import Tries
from tallystick.accounts.standing import Person, standing_of
from tallystick.kit.db.keys import keyring
from tallystick.kit.db.rotation import Tally
from tallystick.kit.encryption import WrongKey
from tallystick.web.limits import Limit

if TYPE_CHECKING:
    from tallystick.people.models import User

CODES = Limit("second-factor", times=10, seconds=600)
"""Codes tried for one person: of a million codes three are right at a time."""

_CONTEXT = b"mfa.authenticator.data"
_SEALED = ("secret", "seed")
_A_CODE_LIVES = 120  # seconds: longer than it is taken
_FREE = ("/accounts/", "/language/", "/static/")


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc] # it has no types
    error_messages = DefaultMFAAdapter.error_messages | {
        "too_many_codes": _("Too many codes were tried. Wait ten minutes, then try again."),
        "used_code": _("This code was used already. Wait for the next one."),
    }

    def encrypt(self, text: str) -> str:
        return keyring().encrypt(text.encode(), _CONTEXT)

    def decrypt(self, encrypted_text: str) -> str:
        return keyring().decrypt(encrypted_text, _CONTEXT).decode()

    def build_totp_svg(self, url: str) -> str:
        picture: str = segno.make(url, error="m").svg_inline(
            scale=5, border=4, dark="#000", light="#fff", omitsize=False
        )
        return picture

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return not (settings.STAFF_MFA_REQUIRED and _is_staff(authenticator.user))


def renew_seals(write: bool) -> Tally:
    """Seal the secrets with the newest key: for `manage.py rotate_keys`."""
    tally = Tally()
    for pk in Authenticator.objects.values_list("pk", flat=True):
        with transaction.atomic():
            row = Authenticator.objects.select_for_update().filter(pk=pk).first()
            if row is not None:
                _renew_row(row, tally, write=write)
    return tally


def _renew_row(row: Authenticator, tally: Tally, *, write: bool) -> None:
    tally.seen += 1
    adapter = SecondFactorAdapter()
    sealed = {name: row.data[name] for name in _SEALED if name in row.data}
    if not any(keyring().needs_rotation(text) for text in sealed.values()):
        return
    try:
        row.data |= {name: adapter.encrypt(adapter.decrypt(text)) for name, text in sealed.items()}
    except WrongKey as error:
        tally.unreadable += 1
        tally.complaint = tally.complaint or str(error)
        return
    tally.renewed += 1
    if write:
        row.save(update_fields=["data"])


class _Careful(forms.Form):
    """Counts the codes that are tried, and takes each but once, whichever process asks."""

    user: User

    def clean_code(self) -> str:
        if not CODES.count(str(self.user.pk)):
            raise SecondFactorAdapter().validation_error("too_many_codes")
        code: str = super().clean_code()  # type: ignore[misc] # of the class beside it
        digits = "".join(code.split())
        if Tries.add(f"second-factor-used:{self.user.pk}:{digits}", _A_CODE_LIVES) > 1:
            raise SecondFactorAdapter().validation_error("used_code")
        return code


class SecondFactorForm(_Careful, AuthenticateForm):  # type: ignore[misc] # it has no types
    pass


class SecondFactorAgainForm(_Careful, ReauthenticateForm):  # type: ignore[misc] # see above
    pass


class ActivationForm(_Careful, ActivateTOTPForm):  # type: ignore[misc] # see above
    pass


@receiver(authenticator_added)
def _has_shown_it(
    request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: object
) -> None:
    """Whoever sets a second factor up has shown it by that."""
    if authenticator.type == Authenticator.Type.TOTP:
        record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type)


class StaffSecondFactor:
    """Middleware: where the site demands it, staff get nowhere without their second factor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        asked = settings.STAFF_MFA_REQUIRED and not request.path.startswith(_FREE)
        if asked and _lacks_it(request):
            return HttpResponseRedirect(_where_to_show_it(request))
        return self.get_response(request)


def _lacks_it(request: HttpRequest) -> bool:
    user = request.user
    if not user.is_authenticated or not _is_staff(user):
        return False
    shown = get_authentication_records(request, user)
    return not any(record["method"] == "mfa" for record in shown)


def _is_staff(user: Person) -> bool:
    return bool(getattr(user, "is_staff", False)) or standing_of(user).is_admin


def _where_to_show_it(request: HttpRequest) -> str:
    has_one = is_mfa_enabled(request.user, [Authenticator.Type.TOTP])
    name = "mfa_reauthenticate" if has_one else "mfa_activate_totp"
    return f"{reverse(name)}?{urlencode({'next': request.get_full_path()})}"
