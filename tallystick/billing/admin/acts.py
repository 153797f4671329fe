"""Acts: verbs of a row, as links on its page. Each asks first, with a form where it needs words."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from tallystick.accounts.admin import TenantAdmin
from tallystick.billing.errors import BillingError
from tallystick.events import acting
from tallystick.events.requests import actor_in
from tallystick.kit.money import MoneyError

if TYPE_CHECKING:
    from django.db import models
    from django_stubs_ext import StrOrPromise


def new_key() -> str:
    """The initial value of a form's hidden key: the same form sent twice acts once."""
    return uuid.uuid4().hex


@dataclass(frozen=True)
class Act:
    """`do(row, user, answers)` carries it out and returns what to tell; `offered(row)` says whether
    there is a point. What `do` refuses is shown beside the form."""

    name: str
    label: StrOrPromise
    do: Callable[[Any, Any, dict[str, Any]], str]
    offered: Callable[[Any], bool]
    form: type[forms.Form] = forms.Form


class ReadOnly(TenantAdmin):
    """Rows that come about by verbs alone."""

    def may(self, request: HttpRequest, act: str, row: models.Model | None = None) -> bool:
        return act == "view" and super().may(request, act, row)


class ActingAdmin(TenantAdmin):
    """Shows `acts` on the page of a row, and says in the journal who did what is done here."""

    change_form_template = "admin/billing/acts_change_form.html"
    acts: ClassVar[Sequence[Act]] = ()

    def get_urls(self) -> list[URLPattern]:
        own = path(
            "<path:object_id>/act/<slug:name>/",
            self.admin_site.admin_view(self.act_view),
            name=f"billing_{self.model._meta.model_name}_act",
        )
        return [own, *super().get_urls()]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with acting(actor_in(request)):
            return super().changeform_view(request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with acting(actor_in(request)):
            return super().changelist_view(request, *args, **kwargs)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        context["acts"] = [
            {"label": act.label, "url": self._act_url(row, act)}
            for act in (self.acts if row is not None and self.may_act(request, row) else ())
            if act.offered(row)
        ]
        return super().render_change_form(request, context, *args, **kwargs)

    def may_act(self, request: HttpRequest, row: models.Model) -> bool:
        """By the role at the row's website, also where the row itself is read-only."""
        return self.may(request, "change", row)

    def act_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        act = next((act for act in self.acts if act.name == name), None)
        if row is None or act is None:
            raise Http404
        if not self.may_act(request, row):
            raise PermissionDenied
        form = act.form(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid() and self._done(request, act, row, form):
            back = reverse(f"admin:billing_{self.model._meta.model_name}_change", args=[row.pk])
            return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{act.label}: {row}",
            "act": act,
            "row": row,
            "form": form,
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "admin/billing/act.html", context)

    def act_on_all(self, request: HttpRequest, rows: models.QuerySet[Any], act: Act) -> None:
        """`act`, which needs no words, on each row by itself; one refusal does not stop the rest."""
        done = 0
        for row in rows:
            try:
                act.do(row, request.user, {})
            except (BillingError, MoneyError) as error:
                self.message_user(request, f"{row}: {error}", messages.ERROR)
            else:
                done += 1
        if done:
            said = _("%(act)s: done for %(count)d.") % {"act": act.label, "count": done}
            self.message_user(request, said, messages.SUCCESS)

    def _done(self, request: HttpRequest, act: Act, row: models.Model, form: forms.Form) -> bool:
        try:
            with acting(actor_in(request)):
                said = act.do(row, request.user, form.cleaned_data)
        except (BillingError, MoneyError) as error:
            form.add_error(None, str(error))
            return False
        self.message_user(request, said, messages.SUCCESS)
        return True

    def _act_url(self, row: models.Model | None, act: Act) -> str:
        name = f"admin:billing_{self.model._meta.model_name}_act"
        return reverse(name, args=[row.pk if row else "", act.name])
