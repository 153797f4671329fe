"""What staff do with a person's data: give it out, and erase it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tallystick.accounts.admin.people import PersonAdmin
from tallystick.accounts.personal import NotSettled, Whom
from tallystick.events import acting
from tallystick.events.requests import actor_in
from tallystick.integrations import erasure
from tallystick.integrations.invoice_ninja.admin import InvoiceNinjaUserAdmin
from tallystick.people.models import User


class ErasureForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=erasure.REASON_LONGEST,
        help_text=gettext_lazy("Kept in the journal for ever: name nobody in it."),
    )
    keep_open = forms.BooleanField(
        label=gettext_lazy("Erase the rest while something is open"), required=False
    )
    confirmed = forms.CharField(
        label=gettext_lazy("Type the log-in name to confirm"), max_length=200
    )


class PersonWithData(InvoiceNinjaUserAdmin, PersonAdmin):
    change_form_template = "admin/integrations/person_change_form.html"
    list_display = ["username", "full_name", "email", "is_active"]

    def get_urls(self) -> list[URLPattern]:
        views = (("export", self.export_view), ("erase", self.erase_view))
        own = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"people_user_{name}",
            )
            for name, view in views
        ]
        return [*own, *super().get_urls()]

    def export_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """By POST: giving it out is journalled."""
        person = self._person(request, object_id)
        if request.method != "POST":
            return self._page(request, person, _("Give out all data"), forms.Form())
        out = BytesIO()
        with acting(actor_in(request)):
            erasure.export_zip(Whom.of_user(person), out)
        response = HttpResponse(out.getvalue(), content_type="application/zip")
        response["Content-Disposition"] = f'attachment; filename="{person.uid}.zip"'
        response["Cache-Control"] = "no-store"
        return response

    def erase_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        person = self._person(request, object_id)
        form = ErasureForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid() and self._erased(request, person, form):
            return HttpResponseRedirect(reverse("admin:people_user_change", args=[person.pk]))
        return self._page(request, person, _("Erase"), form)

    def _erased(self, request: HttpRequest, person: User, form: forms.Form) -> bool:
        said = form.cleaned_data
        if said["confirmed"] != person.get_username():
            form.add_error("confirmed", _("That is not the log-in name."))
            return False
        if person.pk == request.user.pk:
            form.add_error(None, _("Nobody erases themselves."))
            return False
        try:
            with acting(actor_in(request)):
                report = erasure.erase(
                    Whom.of_user(person), reason=said["reason"], keep_open=said["keep_open"]
                )
        except (NotSettled, erasure.BadReason) as error:
            form.add_error(None, str(error))
            return False
        for line in report.lines():
            self.message_user(request, line, messages.SUCCESS)
        return True

    def _person(self, request: HttpRequest, object_id: str) -> User:
        """One whom the user may manage, in all that they have to do with."""
        person: User | None = self.get_object(request, object_id)
        if person is None:
            raise Http404
        if not self.may(request, "change", person):
            raise PermissionDenied
        return person

    def _page(
        self, request: HttpRequest, person: User, label: str, form: forms.Form
    ) -> HttpResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": f"{label}: {person}",
            "act": {"label": label},
            "row": person,
            "form": form,
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "admin/billing/act.html", context)


if get_user_model() is User and admin.site.is_registered(User):
    admin.site.unregister(User)
    admin.site.register(User, PersonWithData)
