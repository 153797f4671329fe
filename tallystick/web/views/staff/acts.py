"""Acts: what is done with a row, each on a page of its own that says what will happen and asks for
what it needs. Sent twice, it happens once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import messages
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from tallystick.billing.days import BadDay
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import NoReason
from tallystick.billing.refusals import BadAmount, TooMuch, WholeSumOnly
from tallystick.billing.wallets import InsufficientFunds
from tallystick.kit import spelling
from tallystick.kit.money import Money, MoneyError
from tallystick.kit.signing import token
from tallystick.kit.spelling import read_amount
from tallystick.web.views.staff.doors import Desk
from tallystick.web.views.staff.refusals import said

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_BESIDE: Mapping[type[Exception], str] = {
    NoReason: "reason",
    TooMuch: "amount",
    BadAmount: "amount",
    WholeSumOnly: "amount",
    BadDay: "received_on",
    MoneyError: "amount",
}

OUTGROWN = (TooMuch, WholeSumOnly, InsufficientFunds)
"""What a sum is refused for that was right when the page was made."""


class ActForm(forms.Form):
    """`key`: the same form sent twice acts once."""

    key = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, row: Any, desk: Desk, data: Any = None) -> None:  # noqa: ANN401 - any model
        super().__init__(data, initial={"key": token(160)}, auto_id="a-%s")
        self.row, self.desk = row, desk
        self.prepare()
        for name, field in self.fields.items():
            attrs = field.widget.attrs
            if not isinstance(field.widget, forms.CheckboxInput | forms.RadioSelect):
                attrs.setdefault("class", "input")
            attrs.setdefault("autocomplete", "off")
            if self.errors.get(name):
                attrs["aria-invalid"] = "true"
            attrs["aria-describedby"] = f"a-{name}-more"

    def prepare(self) -> None:
        """Suit the fields to the row."""

    def money(self, name: str = "amount") -> Money | None:
        """The amount typed there, in the row's currency; None where nothing was typed. Raises
        `MoneyError`."""
        return self.money_in(name, self.row.currency)

    def money_in(self, name: str, currency: str) -> Money | None:
        """The same in another currency than the row's."""
        text = self.cleaned_data.get(name, "")
        return Money.parse(read_amount(text, self.desk.locale), currency) if text else None

    def refuse(self, problem: Exception) -> None:
        """Say why it was refused, beside the field it is about."""
        kinds = type(problem).__mro__
        name = next((_BESIDE[kind] for kind in kinds if kind in _BESIDE), None)
        self.add_error(name if name in self.fields else None, said(problem))


class ReasonForm(ActForm):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=1000,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Kept with it, for whoever asks later."),
    )


def amount_field(label: StrOrPromise, help_text: StrOrPromise = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=40,
        help_text=help_text,
        widget=forms.TextInput({"inputmode": "decimal", "class": "input figure"}),
    )


class SumForm(ActForm):
    """An amount. Empty, it is all that there is: as much as the page has `shown`, so that the form
    says the same when it is sent twice. Where that is too much by now, it says that it has
    `changed`, and shows what there is."""

    changed: ClassVar[StrOrPromise]
    amount = amount_field(_("Amount"))
    shown = forms.CharField(widget=forms.HiddenInput, max_length=40)

    def prepare(self) -> None:
        self.initial["shown"] = str(self.there().amount)
        self._hint()

    def there(self) -> Money:
        """All that there is now."""
        raise NotImplementedError

    def asked(self) -> Money:
        """Raises `MoneyError`."""
        typed = self.money()
        if typed is not None:
            return typed
        return Money.parse(self.cleaned_data["shown"], self.row.currency)

    def refuse(self, problem: Exception) -> None:
        now, answers = str(self.there().amount), self.cleaned_data
        changed = not answers["amount"] and answers["shown"] != now
        if changed and isinstance(problem, OUTGROWN):
            self.add_error("amount", str(self.changed))
        else:
            super().refuse(problem)
        self.data = {**self.data, "shown": now}
        self._hint()

    def _hint(self) -> None:
        there = self.there()
        figures = spelling.amount(there.amount, there.currency, self.desk.locale)
        self.fields["amount"].widget.attrs["placeholder"] = figures


@dataclass(frozen=True)
class Act:
    """`do(row, form)` carries it out and returns what to tell; `offered(row)` says whether there is a
    point. `about` says what will happen; `button` stands for `label` on the button that does it.
    `danger`: it cannot be taken back. `suited(act, row)` is it as it is called for that row."""

    name: str
    label: StrOrPromise
    about: StrOrPromise
    do: Callable[[Any, Any], str]
    offered: Callable[[Any], bool]
    form: type[ActForm] = ActForm
    danger: bool = False
    template: str = "web/staff/act.html"
    button: StrOrPromise = ""
    suited: Callable[[Act, Any], Act] = lambda act, _row: act


def offered(acts: Sequence[Act], row: object) -> list[Act]:
    return [act.suited(act, row) for act in acts if act.offered(row)]


def perform(  # noqa: PLR0913 - where, who, what, with what, and the way back
    request: HttpRequest,
    desk: Desk,
    *,
    section: str,
    act: Act | None,
    row: models.Model,
    back: str,
    name: str = "",
) -> HttpResponse:
    """The page of `act` for `row`, which is called `name`; posted: do it and go `back`, or say beside the field why not."""
    if act is None:
        raise Http404
    # What was sent is left to the verb: sent twice, the second time it knows the key.
    if request.method != "POST" and not act.offered(row):
        messages.error(request, _("This cannot be done in the state it is in now."))
        return HttpResponseRedirect(back, status=HTTPStatus.SEE_OTHER)
    act = act.suited(act, row)
    form = act.form(row, desk, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            messages.success(request, act.do(row, form))
            return HttpResponseRedirect(back, status=HTTPStatus.SEE_OTHER)
        except (BillingError, MoneyError) as problem:
            form.refuse(problem)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    page = desk.page(section, act=act, row=row, name=name or str(row), form=form, back=back)
    return render(request, act.template, page, status=status)
