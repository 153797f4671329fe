"""What the list of invoices can be narrowed to, and how it is ordered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from babel import Locale
from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.models import Account, Website
from tallystick.billing.invoices import Invoice
from tallystick.billing.states import InvoiceStatus
from tallystick.kit.money import BadAmount, MoneyError, parse_amount
from tallystick.kit.spelling import read_amount
from tallystick.web.keyset import NEWEST, Order
from tallystick.web.views.staff import searching
from tallystick.web.views.staff.doors import Desk

if TYPE_CHECKING:
    from tallystick.billing.drafts import InvoiceQuerySet

OVERDUE, UNPAID = "overdue", "unpaid"
STATES = [
    ("", _("All")),
    (InvoiceStatus.DRAFT.value, _("Drafts")),
    (UNPAID, _("Unpaid")),
    (OVERDUE, _("Overdue")),
    (InvoiceStatus.PAID.value, _("Paid")),
    (InvoiceStatus.VOID.value, _("Void")),
    (InvoiceStatus.UNCOLLECTIBLE.value, _("Written off")),
]
ORDERS = {
    "": (_("Newest first"), NEWEST),
    "oldest": (_("Oldest first"), Order("created_at", down=False)),
    "due": (_("Due soonest"), Order("due_date", down=False)),
    "amount": (_("Largest amount"), Order("amount")),
    "-amount": (_("Smallest amount"), Order("amount", down=False)),
}
_OWED = (InvoiceStatus.OPEN, InvoiceStatus.PARTIALLY_PAID)


class AmountField(forms.CharField):
    """An amount as people write it where they read the page."""

    def __init__(self, *, locale: Locale, **options: Any) -> None:
        self.locale = locale
        super().__init__(required=False, max_length=40, **options)

    def clean(self, value: str) -> Decimal | None:
        text = super().clean(value)
        try:
            return parse_amount(read_amount(text, self.locale)) if text else None
        except BadAmount as error:
            raise forms.ValidationError(_("That is not an amount.")) from error
        except MoneyError as error:
            raise forms.ValidationError(str(error)) from error


class Filters(forms.Form):
    """Asked by GET: a page of the list has an address of its own."""

    status = forms.ChoiceField(label=_("State"), choices=STATES, required=False)
    q = forms.CharField(label=_("Search"), required=False, max_length=100)
    client = forms.UUIDField(required=False)
    issued_from = forms.DateField(label=_("Issued from"), required=False)
    issued_to = forms.DateField(label=_("to"), required=False)
    due_from = forms.DateField(label=_("Due from"), required=False)
    due_to = forms.DateField(label=_("to"), required=False)
    order = forms.ChoiceField(
        label=_("Order"), choices=[(name, label) for name, (label, _o) in ORDERS.items()],
        required=False,
    )  # fmt: skip

    def __init__(self, desk: Desk, data: Any) -> None:  # noqa: ANN401 - a QueryDict
        super().__init__(data)
        self.desk = desk
        for name, label in (("least", _("Amount from")), ("most", _("to"))):
            self.fields[name] = AmountField(label=label, locale=desk.locale)
        self.is_valid()

    @property
    def asked(self) -> dict[str, Any]:
        """What was understood; the rest is shown as wrong, and does not narrow."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}

    @property
    def narrowed(self) -> bool:
        return bool(self.asked.keys() - {"order", "status"})

    @property
    def more(self) -> bool:
        """Whether one of the filters is in use that are folded away."""
        return bool(self.asked.keys() - {"order", "status", "q", "client"} or self.errors)

    @property
    def order_by(self) -> Order:
        return ORDERS[self.asked.get("order", "")][1]

    @property
    def client_named(self) -> Account | None:
        if "client" not in self.asked:
            return None
        accounts = self.desk.rows(Account.objects).select_related("user", "organisation")
        return accounts.filter(uid=self.asked["client"]).first()

    def rows(self) -> InvoiceQuerySet:
        invoices: Any = self.desk.rows(Invoice.objects)
        for condition in self._conditions():
            invoices = invoices.filter(condition)
        return invoices  # type: ignore[no-any-return] # what the manager says it is

    def arms(self) -> list[Q]:
        if self.asked.get("status") in (OVERDUE, UNPAID):
            return self.desk.arms("status", _OWED)
        return self.desk.arms()

    def _conditions(self) -> Iterator[Q]:
        asked = self.asked
        if status := asked.get("status"):
            yield _in_state(status, self.desk)
        if text := asked.get("q"):
            yield searching.matching(text, self.desk)
        if uid := asked.get("client"):
            yield Q(client__in=self.desk.rows(Account.objects).filter(uid=uid))
        if self.order_by.column == "due_date":
            yield Q(due_date__isnull=False)
        for name, lookup in _RANGES.items():
            if name in asked:
                yield Q(**{lookup: asked[name]})


_RANGES = {
    "issued_from": "issue_date__gte",
    "issued_to": "issue_date__lte",
    "due_from": "due_date__gte",
    "due_to": "due_date__lte",
    "least": "amount__gte",
    "most": "amount__lte",
}


def overdue(desk: Desk) -> Q:
    """Owed, and past the day it was due, where its website is."""
    late = Q()
    for day, websites in _by_today(desk.websites).items():
        late |= Q(website__in=websites, due_date__lt=day)
    return Q(status__in=_OWED) & late


def owed() -> Q:
    return Q(status__in=_OWED)


def _in_state(status: str, desk: Desk) -> Q:
    if status == OVERDUE:
        return overdue(desk)
    return Q(status__in=_OWED) if status == UNPAID else Q(status=status)


def _by_today(websites: list[Website]) -> dict[date, list[int]]:
    days: dict[date, list[int]] = {}
    for website in websites:
        days.setdefault(website.today(), []).append(website.pk)
    return days
