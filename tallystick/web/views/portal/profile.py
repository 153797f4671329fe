"""What a client says of themselves: name, address, language; and the ways in to their access."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from tallystick.accounts.models import Account, ApiKey
from tallystick.events import record
from tallystick.web.views.portal.doors import client_in, for_client, frame

if TYPE_CHECKING:
    from tallystick.people.models import User

    _OfUser = forms.ModelForm[User]
    _OfAccount = forms.ModelForm[Account]
else:
    _OfUser = _OfAccount = forms.ModelForm

_ADDRESS = ("line1", "line2", "postal_code", "city", "region", "country", "tax_number")


class NameForm(_OfUser):
    class Meta:
        model = get_user_model()
        fields = ("first_name", "last_name")

    def clean(self) -> dict[str, Any] | None:
        """Invoices are billed to it."""
        data = super().clean() or {}
        if not data.get("first_name") and not data.get("last_name") and not self.errors:
            self.add_error("first_name", _("Say a name: it stands on what you are billed."))
        return data


class AddressForm(_OfAccount):
    language = forms.ChoiceField(
        label=gettext_lazy("Language of letters and documents"), required=False
    )

    class Meta:
        model = Account
        fields: ClassVar = [*_ADDRESS, "language"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own: forms.ChoiceField = self.fields["language"]  # type: ignore[assignment] # as above
        kept = self.instance.language
        codes = dict(settings.LANGUAGES)
        odd = [(kept, kept)] if kept and kept not in codes else []
        own.choices = [("", _("As the website's")), *settings.LANGUAGES, *odd]

    def clean_country(self) -> str:
        return str(self.cleaned_data["country"]).upper()


@require_http_methods(["GET", "HEAD", "POST"])
@for_client
def shown(request: HttpRequest) -> HttpResponse:
    user = client_in(request)
    account = Account.objects.own(user).filter(user=user).select_related("website").first()
    given = request.POST if request.method == "POST" else None
    name_form = NameForm(given, instance=user)
    address_form = AddressForm(given, instance=account) if account else None
    forms_ = [form for form in (name_form, address_form) if form is not None]
    right = [form.is_valid() for form in forms_]  # all of them are asked, to say all that is wrong
    if request.method == "POST" and all(right):
        _store(forms_)
        messages.success(request, _("Stored."))
        return HttpResponseRedirect(reverse("portal-profile"), status=HTTPStatus.SEE_OTHER)
    if request.method == "POST":
        user.refresh_from_db()  # what was not stored is not shown as their name
    page = frame(
        request, "profile", name_form=name_form, address_form=address_form, account=account
    )
    page |= {
        "second_factor": is_mfa_enabled(user, [Authenticator.Type.TOTP]),
        "has_password": user.has_usable_password(),
        "organisations": list(
            Account.objects.own(user).filter(user=None).select_related("organisation")[:20]
        ),
        "keys": list(ApiKey.objects.own(user).filter(revoked_at=None)[:50]),
        "language_now": translation.get_language(),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if given is not None else HTTPStatus.OK
    return render(request, "web/portal/profile.html", page, status=status)


@require_POST
@for_client
def revoke(request: HttpRequest, uid: UUID) -> HttpResponse:
    key = ApiKey.objects.own(client_in(request)).filter(uid=uid).first()
    if key is None:
        raise Http404
    key.revoke()
    messages.success(request, _("The key opens nothing any more."))
    return HttpResponseRedirect(reverse("portal-profile"), status=HTTPStatus.SEE_OTHER)


def _store(forms_: list[Any]) -> None:
    """With a line in the journal that names the fields, and no values."""
    with transaction.atomic():
        for form in forms_:
            if not form.has_changed():
                continue
            form.save()
            what = form.instance._meta.model_name
            website = getattr(form.instance, "website", None)
            record(
                f"{what}.changed",
                form.instance,
                website=website,
                change={"fields": form.changed_data},
            )
