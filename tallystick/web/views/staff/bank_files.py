"""Bringing in a statement: the file, and what one must be asked before it can be read."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from tallystick.billing.banking import camt, columns, formats, tables
from tallystick.billing.banking.columns import Columns
from tallystick.billing.banking.errors import OtherAccount, StatementError, UnknownColumns
from tallystick.billing.banking.formats import BankFile
from tallystick.billing.banking.importing import check_statement, import_statement
from tallystick.billing.banking.readings import MOST_BYTES
from tallystick.billing.banking.statements import BankStatement
from tallystick.billing.banking.tables import Table
from tallystick.kit import clock
from tallystick.web.views.staff.doors import Desk, for_staff
from tallystick.web.views.staff.refusals import said

_SECONDS = 3.0
_SAMPLE_ROWS = 4
_ROLE_NAMES = {
    "": gettext_lazy("Leave out"),
    "booked_on": gettext_lazy("Date"),
    "amount": gettext_lazy("Amount"),
    "debit": gettext_lazy("Money out"),
    "credit": gettext_lazy("Money in"),
    "side": gettext_lazy("Debit or credit"),
    "currency": gettext_lazy("Currency"),
    "name": gettext_lazy("Name of the other"),
    "iban": gettext_lazy("Account of the other"),
    "text": gettext_lazy("Text"),
    "reference": gettext_lazy("Bank's own number"),
    "end_to_end": gettext_lazy("Sender's reference"),
    "value_on": gettext_lazy("Value date"),
    "account": gettext_lazy("Our account"),
    "balance": gettext_lazy("Balance after it"),
    "state": gettext_lazy("Booked or pending"),
}
_DAYS = [
    ("dmy", gettext_lazy("Day first: 31.12.2026")),
    ("mdy", gettext_lazy("Month first: 12/31/2026")),
    ("ymd", gettext_lazy("Year first: 2026-12-31")),
]
_POINTS = [(",", "1.234,50"), (".", "1,234.50")]


class FileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"),
        max_length=200,
        error_messages={"required": gettext_lazy("Choose the file that the bank gave out.")},
        widget=forms.FileInput({"class": "input", "accept": ".xml,.csv,.txt"}),
    )

    def __init__(self, desk: Desk, data: Any = None, files: Any = None) -> None:  # noqa: ANN401 - of a request
        super().__init__(data, files, auto_id="f-%s")
        self.fields["website"] = forms.ChoiceField(
            label=_("Website"),
            choices=[(str(website.uid), website.name) for website in desk.websites],
            initial=str(desk.website.uid) if desk.website else None,
            widget=forms.Select({"class": "input"}),
        )
        if len(desk.websites) == 1:
            self.fields["website"].widget = forms.HiddenInput()
            self.fields["website"].initial = str(desk.websites[0].uid)

    def clean_file(self) -> Any:  # noqa: ANN401 - an uploaded file
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(
                _("The file is larger than 10 MB. Fetch the statement in shorter periods.")
            )
        return file


class ColumnsForm(forms.Form):
    """A choice for each column of the table, and how it writes days and amounts."""

    days = forms.ChoiceField(label=gettext_lazy("Days are written"), choices=_DAYS)
    point = forms.ChoiceField(label=gettext_lazy("Amounts are written"), choices=_POINTS)

    def __init__(self, table: Table, data: Any = None) -> None:  # noqa: ANN401 - a QueryDict
        super().__init__(data, auto_id="c-%s")
        self.table = table
        where, self.currency = columns.guess_roles(table)
        role_of = {at: role for role, places in where.items() for at in places}
        for at, name in enumerate(table.head):
            self.fields[f"column-{at}"] = forms.ChoiceField(
                label=name or _("Column %(n)d") % {"n": at + 1},
                choices=list(_ROLE_NAMES.items()),
                initial=role_of.get(at, ""),
                required=False,
            )
        self.fields["days"].initial = columns.day_order(
            cell for at in where.get("booked_on", ()) for cell in table.column(at)
        )
        self.fields["point"].initial = columns.decimal_point(
            cell for at in columns.figures(where) for cell in table.column(at)
        )
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"

    def clean(self) -> dict[str, Any]:
        where: dict[str, tuple[int, ...]] = {}
        for at in range(len(self.table.head)):
            role = self.cleaned_data.get(f"column-{at}", "")
            if role and role in where and role not in columns.SEVERAL:
                name = _ROLE_NAMES[role]
                raise forms.ValidationError(_("Two columns are %(name)s.") % {"name": name})
            if role:
                where[role] = (*where.get(role, ()), at)
        if missing := columns.lacking(where):
            raise forms.ValidationError(_("Say which column holds %(it)s.") % {"it": missing})
        return {**self.cleaned_data, "where": where}

    def columns(self) -> Columns:
        data = self.cleaned_data
        return Columns(data["where"], data["days"], data["point"], self.currency)

    def shown(self) -> list[tuple[forms.BoundField, list[str]]]:
        """Each column's choice, with some of what stands in it."""
        return [
            (self[f"column-{at}"], self.table.column(at)[:_SAMPLE_ROWS])
            for at in range(len(self.table.head))
        ]


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def upload(request: HttpRequest, desk: Desk) -> HttpResponse:
    if request.method != "POST":
        return _asked(request, desk, FileForm(desk))
    form = FileForm(desk, request.POST, request.FILES)
    if not form.is_valid():
        return _asked(request, desk, form)
    try:
        return _taken(request, desk, form)
    except StatementError as problem:
        form.add_error("file", said(problem))
        return _asked(request, desk, form)


def _taken(request: HttpRequest, desk: Desk, form: FileForm) -> HttpResponse:
    """Import it; where something must be asked first, keep it until that is answered."""
    file = form.cleaned_data["file"]
    website = next(w for w in desk.websites if str(w.uid) == form.cleaned_data["website"])
    kept = BankFile(website=website, name=file.name[:200], data=file.read(), created_by=desk.user)
    try:
        return _imported(request, desk, kept, ours=False)
    except (UnknownColumns, OtherAccount):
        kept.keep()
        return HttpResponseRedirect(reverse("staff-bank-file", args=[kept.uid]), status=303)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def answer(request: HttpRequest, desk: Desk, uid: UUID) -> HttpResponse:
    """What must be said before the file can be read: whose account it is of, which column is which."""
    rows = desk.rows(BankFile.objects).select_related("website")
    kept = rows.filter(uid=uid).first()
    if kept is None:
        raise Http404(_("There is no such file any more. Choose it again."))
    form = _columns_form(kept, request.POST if request.method == "POST" else None)
    ours = request.POST.get("account") == "ours"
    try:
        if request.method != "POST":
            check_statement(kept.website, bytes(kept.data))
        if form is not None and not form.is_valid():
            return _questioned(request, desk, kept, form)
        response = _imported(request, desk, kept, form.columns() if form else None, ours=ours)
    except StatementError as problem:
        return _questioned(request, desk, kept, form, problem)
    if form is not None:
        formats.remember(
            kept.website, form.table, form.columns(), name=request.POST.get("bank", "")
        )
    kept.delete()
    return response


def _columns_form(kept: BankFile, data: Any) -> ColumnsForm | None:  # noqa: ANN401 - a QueryDict
    """None where the columns are known, or where there are none."""
    if camt.is_xml(bytes(kept.data)):
        return None
    table = tables.read(bytes(kept.data))
    try:
        formats.known_columns(kept.website, table)
    except UnknownColumns:
        return ColumnsForm(table, data)
    return None


def _imported(
    request: HttpRequest, desk: Desk, file: BankFile, how: Columns | None = None, *, ours: bool
) -> HttpResponse:
    began = clock.now()
    statement = import_statement(
        file.website,
        bytes(file.data),
        name=file.name,
        by=desk.user,
        columns=how,
        other_account=ours,
        seconds=_SECONDS,
    )
    if statement.created_at < began:
        messages.warning(request, _("This file was imported before; nothing was added."))
    else:
        messages.success(request, _told(statement))
    address = reverse("staff-bank-statement", args=[statement.uid])
    return HttpResponseRedirect(address, status=HTTPStatus.SEE_OTHER)


def _told(statement: BankStatement) -> str:
    new = ngettext("%(n)d new line.", "%(n)d new lines.", statement.lines_new)
    text = new % {"n": statement.lines_new}
    if statement.lines_known:
        known = ngettext(
            "%(n)d was in an earlier statement.",
            "%(n)d were in earlier statements.",
            statement.lines_known,
        )
        text += " " + known % {"n": statement.lines_known}
    return text


def _asked(request: HttpRequest, desk: Desk, form: FileForm) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(
        request, "web/staff/bank/upload.html", desk.page("bank", form=form), status=status
    )


def _questioned(
    request: HttpRequest,
    desk: Desk,
    kept: BankFile,
    form: ColumnsForm | None,
    problem: StatementError | None = None,
) -> HttpResponse:
    wrong = request.method == "POST"
    page = desk.page(
        "bank",
        file=kept,
        form=form,
        problem=said(problem) if problem else "",
        ask_account=isinstance(problem, OtherAccount) or "account" in request.POST,
        wrong=wrong,
    )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    return render(request, "web/staff/bank/question.html", page, status=status)
