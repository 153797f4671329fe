"""Writing invoices: a new one, a draft again, a copy; and what they come to while they are written."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tallystick.billing import redrafting
from tallystick.billing.invoices import Invoice
from tallystick.billing.products import Product
from tallystick.web.views.staff import invoice_forms
from tallystick.web.views.staff.doors import Desk, for_staff
from tallystick.web.views.staff.invoice import find
from tallystick.web.views.staff.invoice_forms import InvoiceForm

_SUGGESTED = 8
_SAVING = ("save", "issue", "issue-quietly")
_FIGURES = ("quantity", "price", "discount")


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def new(request: HttpRequest, desk: Desk) -> HttpResponse:
    if request.method == "POST":
        return _answered(request, desk, InvoiceForm(desk, request.POST))
    form = InvoiceForm(desk, client=request.GET.get("client", ""))
    return _shown(request, desk, form)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def edit(request: HttpRequest, desk: Desk, uid: UUID) -> HttpResponse:
    invoice = find(desk, uid)
    if not invoice.is_draft:
        messages.error(request, _("It is no draft any more: only a draft can be edited or issued."))
        return _see(invoice)
    data = request.POST if request.method == "POST" else None
    form = InvoiceForm(desk, data, invoice)
    return _shown(request, desk, form) if data is None else _answered(request, desk, form)


@require_POST
@for_staff
def copy(request: HttpRequest, desk: Desk, uid: UUID) -> HttpResponse:
    key = request.POST.get("key", "")[:64]
    made = redrafting.duplicate(find(desk, uid), by=desk.user, key=key and f"copy-{uid.hex}-{key}")
    messages.success(request, _("This is a copy, as a draft. Nothing is sent before you issue it."))
    return redirect("staff-invoice-edit", uid=made.uid)


@require_POST
@for_staff
def total(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What the form comes to so far, and what of it cannot be counted; nothing is stored."""
    form = InvoiceForm(desk, request.POST)
    page = desk.page("invoices", form=form, totals=form.totals)
    page["uncounted"] = list(_uncounted(form))
    return render(request, "web/staff/form/live.html", page)


@require_safe
@for_staff
def find_client(request: HttpRequest, desk: Desk) -> HttpResponse:
    text = request.GET.get("client_q", "").strip()[:100]
    website = next((w for w in desk.websites if str(w.uid) == request.GET.get("for", "")), None)
    found = invoice_forms.clients(desk, text, website) if text else []
    page = desk.page("invoices", found=found, text=text)
    return render(request, "web/staff/form/clients.html", page)


@require_safe
@for_staff
def find_product(request: HttpRequest, desk: Desk) -> HttpResponse:
    text = next(iter(request.GET.getlist("description")), "").replace("\0", " ").strip()[:100]
    website = next((w for w in desk.websites if str(w.uid) == request.GET.get("for", "")), None)
    products = Product.objects.of(website) if website else desk.rows(Product.objects)
    found = products.filter(is_active=True, name__icontains=text).select_related("tax_rate")
    page = desk.page("invoices", found=list(found[:_SUGGESTED]) if text else [], text=text)
    return render(request, "web/staff/form/products.html", page)


def _uncounted(form: InvoiceForm) -> Iterator[tuple[int, str, str]]:
    """The figures that were typed and cannot be read: line, field, and why."""
    for number, name, message in form.wrongs:
        if name in _FIGURES and form.rows[number - 1].values.get(name, "").strip():
            yield number, name, message


def _answered(request: HttpRequest, desk: Desk, form: InvoiceForm) -> HttpResponse:
    act = request.POST.get("act", "")
    if act in _SAVING:
        invoice = form.save(issue=act != "save", send=act == "issue")
        if invoice is not None:
            messages.success(request, _told(invoice, act))
            return _see(invoice)
        return _shown(request, desk, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    if act == "add" or not form.rows:
        form.add()
    elif "remove" in request.POST:
        form.remove(request.POST["remove"])
    return _shown(request, desk, form, added=act == "add")


def _shown(
    request: HttpRequest,
    desk: Desk,
    form: InvoiceForm,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    added: bool = False,
) -> HttpResponse:
    wrong = bool(form.errors or form.wrongs)
    kept = {row.number: row.errors for row in form.rows} if wrong else {}
    sums = form.totals
    for row in form.rows:  # a row that nobody has finished yet is not complained of
        row.errors = kept.get(row.number, {}) if wrong else {}
    page = desk.page("invoices", form=form, totals=sums, added=added, wrong=wrong)
    return render(request, "web/staff/form/page.html", page, status=status)


def _told(invoice: Invoice, act: str) -> str:
    if act == "save":
        return _("Saved as a draft. Nothing is sent before you issue it.")
    if act == "issue":
        return _("%(number)s is issued; its e-mail is on its way.") % {"number": invoice.number}
    return _("%(number)s is issued. No e-mail was sent.") % {"number": invoice.number}


def _see(invoice: Invoice) -> HttpResponse:
    response = redirect("staff-invoice", uid=invoice.uid)
    response.status_code = HTTPStatus.SEE_OTHER
    return response
