"""The review list: what an outside system has, and whose it is here. And differences that are settled
by what is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tallystick.accounts.searching import starts
from tallystick.events import acting, record
from tallystick.events.requests import actor_in
from tallystick.integrations import bringing, choosing
from tallystick.integrations.connections import BadCredentials
from tallystick.integrations.deciding import Decider, journal, object_of, pages
from tallystick.integrations.links import COMPARED, Link
from tallystick.integrations.remote_records import RemoteRecord
from tallystick.integrations.retrying import retry
from tallystick.integrations.rows_admin import OF_A_CONNECTION, OfAConnection
from tallystick.integrations.sync import CannotApply

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MOST_TAKEN = 100
"""Links whose side is taken in one request."""


class DiffersFilter(admin.SimpleListFilter):
    title = gettext_lazy("differs there")
    parameter_name = "differs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, StrOrPromise]]:  # noqa: ANN401
        del request, model_admin
        return [("yes", gettext_lazy("yes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        del request
        return queryset.exclude(difference="") if self.value() == "yes" else queryset


class SettlesDifferences:
    """For the list of links: one of the two sides is made to count."""

    message_user: Callable[..., None]

    @admin.action(
        description=gettext_lazy("Take theirs: write here what is there"), permissions=["view"]
    )
    def take_theirs(self, request: HttpRequest, queryset: QuerySet[Link]) -> None:
        taken = 0
        with acting(actor_in(request)):
            for link in _differing(queryset)[:MOST_TAKEN]:
                try:
                    bringing.take_theirs(link, request.user)
                except (CannotApply, BadCredentials) as error:
                    self.message_user(request, f"{link}: {error}", messages.ERROR)
                else:
                    taken += 1
        words = ngettext("%(count)d was taken over.", "%(count)d were taken over.", taken)
        self.message_user(request, words % {"count": taken})

    @admin.action(
        description=gettext_lazy("Send ours: write there what is here"), permissions=["view"]
    )
    def send_ours(self, request: HttpRequest, queryset: QuerySet[Link]) -> None:
        chosen = Link.objects.filter(pk__in=_differing(queryset).values("pk"))
        with acting(actor_in(request)):
            self.message_user(request, retry(chosen, force=True).in_words())


@admin.register(RemoteRecord)
class RemoteRecordAdmin(OfAConnection):
    list_display = ("__str__", "known_by", "kind", "match", "reason", "ours", "connection")
    list_filter = ("match", "kind", "is_active", OF_A_CONNECTION)
    list_select_related = ("connection", "link")
    search_fields = ("name",)
    search_help_text = gettext_lazy("The beginning of a name or an e-mail address; or a number.")
    actions = ("accept_proposals", "make_here", "ignore", "ask_again")

    class Media:
        css = {"all": ["integrations/choose.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(erased_at=None)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        del request
        term = search_term.strip()
        if not term:
            return queryset, False
        exact = Q(number=term) | Q(code=term) | Q(remote_id=term) | Q(key=term)
        return queryset.filter(starts("name", term) | starts("email", term) | exact), False

    @admin.display(description=gettext_lazy("e-mail or number"))
    def known_by(self, obj: RemoteRecord) -> str:
        return obj.email or obj.number or obj.code

    @admin.display(description=gettext_lazy("here"))
    def ours(self, obj: RemoteRecord) -> str:
        if not obj.local_id:
            return "—"
        app, _dot, model = obj.model.lower().partition(".")
        address = choosing.page_of(app, model, obj.local_id)
        words = f"{model} {obj.local_id}"
        return format_html('<a href="{}">{}</a>', address, words) if address else words

    @admin.action(description=gettext_lazy("Accept the proposals"), permissions=["view"])
    def accept_proposals(self, request: HttpRequest, queryset: QuerySet[RemoteRecord]) -> None:
        with acting(actor_in(request)):
            count = 0
            for connection, page in pages(_plain(queryset)):
                accepted = Decider().accept(page)
                journal(connection, "accepted", accepted)
                count += accepted
        self._say(request, count)

    @admin.action(
        description=gettext_lazy("Make here what nothing here looks like"), permissions=["view"]
    )
    def make_here(self, request: HttpRequest, queryset: QuerySet[RemoteRecord]) -> None:
        with acting(actor_in(request)):
            count = 0
            for connection, page in pages(_plain(queryset)):
                made = Decider().make([one for one in page if choosing.is_new(one)])
                journal(connection, "made", made)
                count += made
        self._say(request, count)

    @admin.action(description=gettext_lazy("Ignore"), permissions=["view"])
    def ignore(self, request: HttpRequest, queryset: QuerySet[RemoteRecord]) -> None:
        with acting(actor_in(request)):
            self._say(request, Decider().ignore(_plain(queryset)))

    @admin.action(description=gettext_lazy("Ask again"), permissions=["view"])
    def ask_again(self, request: HttpRequest, queryset: QuerySet[RemoteRecord]) -> None:
        with acting(actor_in(request)):
            self._say(request, Decider().ask_again(_plain(queryset)))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Where one is chosen by hand."""
        del form_url, extra_context
        one = self.get_object(request, object_id)
        if one is None or not self.has_view_permission(request, one):
            raise Http404
        if request.method == "POST":
            return self._decided(request, one)
        term = request.GET.get("q", "").strip()
        context = {
            **self.admin_site.each_context(request),
            "title": str(one),
            "opts": self.model._meta,
            "one": one,
            "said": choosing.said(one),
            "here": object_of(one),
            "term": term,
            "candidates": choosing.candidates(one, term),
            "makes": choosing.makes(one),
        }
        return TemplateResponse(request, "admin/integrations/choose.html", context)

    def _decided(self, request: HttpRequest, one: RemoteRecord) -> HttpResponse:
        act = request.POST.get("act", "")
        with acting(actor_in(request)):
            try:
                choosing.decide(one, act, request.POST.get("object", ""))
            except choosing.BadChoice as error:
                self.message_user(request, str(error), messages.ERROR)
                return HttpResponseRedirect(request.get_full_path())
            website = one.connection.website
            record("remote_record.decided", one, website=website, change={"act": act})
        self._say(request, 1)
        return HttpResponseRedirect(reverse("admin:integrations_remoterecord_changelist"))

    def _say(self, request: HttpRequest, count: int) -> None:
        words = ngettext("%(count)d was decided.", "%(count)d were decided.", count)
        more = _("What was accepted is carried out in a moment.")
        self.message_user(request, f"{words % {'count': count}} {more}")


def _differing(queryset: QuerySet[Link]) -> QuerySet[Link]:
    return queryset.exclude(difference="").filter(kind__in=COMPARED)


def _plain(queryset: QuerySet[RemoteRecord]) -> QuerySet[RemoteRecord]:
    """The same rows, free of the list's order and slices."""
    return RemoteRecord.objects.filter(pk__in=queryset.order_by().values("pk"))
