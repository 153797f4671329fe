from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.forms.models import BaseInlineFormSet
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tallystick.accounts.admin import TenantInline
from tallystick.billing.admin.acts import Act, ActingAdmin, new_key
from tallystick.billing.holds import WalletHold
from tallystick.billing.wallets import Details, Wallet, WalletEntry
from tallystick.kit import clock
from tallystick.kit.money import Money

if TYPE_CHECKING:
    from django.db import models
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from tallystick.people.models import User

    EntryFormSetBase = BaseInlineFormSet[WalletEntry, Wallet, Any]
else:
    EntryFormSetBase = BaseInlineFormSet

SHOWN = 50


class AmountForm(forms.Form):
    """`key`: the same form sent twice moves the money once."""

    amount = forms.CharField(label=gettext_lazy("Amount"), max_length=40)
    note = forms.CharField(label=gettext_lazy("Note"), max_length=200)
    key = forms.CharField(widget=forms.HiddenInput, initial=new_key, max_length=64)


def _credit(wallet: Wallet, user: User, answers: dict[str, Any]) -> str:
    entry = wallet.credit(
        Money.parse(answers["amount"], wallet.currency),
        WalletEntry.Reason.CREDIT,
        **_told(user, answers),
    )
    return _balance(entry)


def _debit(wallet: Wallet, user: User, answers: dict[str, Any]) -> str:
    entry = wallet.debit(
        Money.parse(answers["amount"], wallet.currency),
        WalletEntry.Reason.CORRECTION,
        **_told(user, answers),
    )
    return _balance(entry)


class HoldForm(AmountForm):
    days = forms.IntegerField(
        label=gettext_lazy("Days"),
        required=False,
        min_value=1,
        max_value=3650,
        help_text=gettext_lazy("Empty: until it is released."),
    )


class TakenForm(forms.Form):
    amount = forms.CharField(
        label=gettext_lazy("Amount"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("Empty: all that is held."),
    )


def _hold(wallet: Wallet, user: User, answers: dict[str, Any]) -> str:
    del user
    until = clock.now() + timedelta(days=answers["days"]) if answers["days"] else None
    wallet.hold(
        Money.parse(answers["amount"], wallet.currency),
        reason=answers["note"],
        key=f"staff:{answers['key']}",
        expires_at=until,
    )
    return _("%(money)s can still be used.") % {"money": wallet.available}


def _capture(hold: WalletHold, user: User, answers: dict[str, Any]) -> str:
    del user
    amount, currency = answers["amount"], hold.wallet.currency
    return _balance(hold.capture(Money.parse(amount, currency) if amount else None))


def _release(hold: WalletHold, user: User, answers: dict[str, Any]) -> str:
    del user, answers
    hold.release()
    return _("%(money)s can still be used.") % {"money": hold.wallet.available}


def _is_staffs(hold: WalletHold) -> bool:
    """What a refund or a dispute holds, it also lets go."""
    return hold.is_held and not hold.cause


def _told(user: User, answers: dict[str, Any]) -> Details:
    return {"by": user, "note": answers["note"], "key": f"staff:{answers['key']}"}


def _balance(entry: WalletEntry) -> str:
    balance = Money(entry.balance_after, entry.wallet.currency)
    return _("The wallet holds %(balance)s.") % {"balance": balance}


def _always(wallet: Wallet) -> bool:
    del wallet
    return True


class NewestEntries(EntryFormSetBase):
    """A ledger grows without end; its page does not."""

    def get_queryset(self) -> QuerySet[WalletEntry]:
        return self._newest

    @cached_property
    def _newest(self) -> QuerySet[WalletEntry]:
        return super().get_queryset()[:SHOWN]


class EntryInline(TenantInline):
    model = WalletEntry
    formset = NewestEntries
    fields = ["created_at", "reason", "amount", "balance_after", "note", "payment", "by"]
    readonly_fields = ["created_at", "reason", "amount", "balance_after", "note", "payment", "by"]
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("payment", "by")

    def may(self, request: HttpRequest, act: str, row: models.Model | None = None) -> bool:
        return act == "view" and super().may(request, act, row)


class HoldInline(TenantInline):
    model = WalletHold
    fields = ["amount", "reason", "cause", "expires_at", "created_at"]
    readonly_fields = ["amount", "reason", "cause", "expires_at", "created_at"]
    can_delete = False
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(state=WalletHold.State.HELD)

    def may(self, request: HttpRequest, act: str, row: models.Model | None = None) -> bool:
        return act == "view" and super().may(request, act, row)


@admin.register(Wallet)
class WalletAdmin(ActingAdmin):
    list_display = ["account", "money", "available", "website"]
    list_filter = ["website", "currency"]
    list_select_related = ["account__user", "account__organisation", "website"]
    search_fields = ["account__user__email", "account__organisation__name"]
    autocomplete_fields = ["account"]
    readonly_fields = ["money", "available", "ledger"]
    inlines = [HoldInline, EntryInline]
    acts = [
        Act("credit", gettext_lazy("Credit"), _credit, _always, AmountForm),
        Act("debit", gettext_lazy("Take out"), _debit, _always, AmountForm),
        Act("hold", gettext_lazy("Set aside"), _hold, _always, HoldForm),
    ]

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        # Saving a page would write the balance that it was opened with over what came since.
        return obj is None and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Wallet, form: forms.Form, change: bool) -> None:
        obj.website = obj.account.website
        super().save_model(request, obj, form, change)

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[Any]:
        fields = ["account", "currency"]
        return fields if obj is None else [*fields, "money", "available", "ledger"]

    def get_inlines(self, request: HttpRequest, obj: models.Model | None) -> list[Any]:
        return [] if obj is None else self.inlines

    @admin.display(description=gettext_lazy("ledger"))
    def ledger(self, wallet: Wallet) -> str:
        count = wallet.entries.count()
        if count <= SHOWN:
            return _("%(count)d entries") % {"count": count}
        return _("%(count)d entries, of which the newest %(shown)d are below") % {
            "count": count,
            "shown": SHOWN,
        }

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial = super().get_changeform_initial_data(request)
        initial.pop("website", None)
        return initial


@admin.register(WalletHold)
class WalletHoldAdmin(ActingAdmin):
    """Money is set aside on the page of its wallet."""

    list_display = ["money", "state", "wallet", "reason", "expires_at", "created_at"]
    list_filter = ["state"]
    list_select_related = ["wallet__account__user", "wallet__account__organisation"]
    fields = [
        *("uid", "wallet", "money", "captured", "state", "reason", "payment", "cause"),
        *("expires_at", "created_at", "settled_at"),
    ]
    readonly_fields = ["money"]
    acts = [
        Act("capture", gettext_lazy("Take out"), _capture, _is_staffs, TakenForm),
        Act("release", gettext_lazy("Release"), _release, _is_staffs),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False
