"""The form an invoice is written with."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from tallystick.accounts.models import Account, Website
from tallystick.billing import lengths, redrafting, totals
from tallystick.billing.errors import BillingError
from tallystick.billing.invoices import Invoice
from tallystick.billing.products import Product
from tallystick.billing.redrafting import Content
from tallystick.billing.taxes import TaxRate
from tallystick.kit.money import DIGITS, MoneyError
from tallystick.kit.signing import token
from tallystick.web.views.staff import line_forms, searching
from tallystick.web.views.staff.doors import Desk
from tallystick.web.views.staff.line_forms import LineForm, Reading
from tallystick.web.views.staff.refusals import said

if TYPE_CHECKING:
    from django.http import QueryDict

_SUGGESTED = 8
_TEXTS = {
    "title": lengths.TITLE,
    "description": lengths.DESCRIPTION,
    "reference": lengths.REFERENCE,
}


class InvoiceForm:
    """Bound to what was sent, or to the draft that is edited, or to nothing yet. `errors` are by
    field; what is wrong with a line stands on the line. `key`: the same form sent twice makes one
    invoice."""

    def __init__(
        self,
        desk: Desk,
        data: QueryDict | None = None,
        invoice: Invoice | None = None,
        *,
        client: str = "",
    ) -> None:
        self.desk, self.invoice = desk, invoice
        self.errors: dict[str, str] = {}
        if data is not None:
            self.values = {name: _typed(data, _FIELDS.get(name, name)) for name in _NAMES}
            self.rows = line_forms.typed(data)
            self.touched = True
        else:
            blank = dict.fromkeys(_NAMES, "") | {"client": client}
            self.values = _of(invoice) if invoice else blank
            self.rows = []
            self.touched = False
        self.values["key"] = self.values["key"] or token(160)
        if data is None:
            self.values["client_q"] = self.client.name if self.client else ""
            self._fill()
        else:
            self._choose(data.getlist("client"))

    @cached_property
    def client(self) -> Account | None:
        """Who is billed, at a website of theirs who writes."""
        accounts = self.desk.rows(Account.objects) if self.invoice is None else self._neighbours()
        try:
            uid = uuid.UUID(self.values["client"])
        except ValueError:
            return None
        return accounts.select_related("website", "user", "organisation").filter(uid=uid).first()

    @cached_property
    def website(self) -> Website | None:
        """Whose invoice it is: the client's; before there is one, the one that was chosen."""
        if self.invoice is not None:
            return self.invoice.website
        if self.client is not None:
            return self.client.website
        sites = self.desk.websites
        chosen = next((each for each in sites if str(each.uid) == self.values["website"]), None)
        return chosen or self.desk.website or self._only

    @property
    def _only(self) -> Website | None:
        return self.desk.websites[0] if len(self.desk.websites) == 1 else None

    @property
    def found(self) -> list[Account]:
        """Clients that match what was typed, where none is chosen yet."""
        text = self.values["client_q"].strip()
        if self.client is not None or not text:
            return []
        return clients(self.desk, text, self.website)

    @property
    def currency(self) -> str:
        wanted = self.values["currency"]
        if wanted in DIGITS:
            return wanted
        if self.client is not None:
            return self.client.billing_currency
        return self.website.currency if self.website else "EUR"

    @property
    def inclusive(self) -> bool:
        chosen = self.values["inclusive"]
        if chosen:
            return chosen == "yes"
        return bool(self.website and self.website.prices_include_tax)

    @cached_property
    def rates(self) -> list[TaxRate]:
        if self.website is None:
            return []
        kept = [row.tax for row in self.rows]
        rates = TaxRate.objects.of(self.website).order_by("code")
        return [rate for rate in rates if rate.is_active or rate.code in kept]

    @property
    def default_rate(self) -> str:
        return next((rate.code for rate in self.rates if rate.is_default), "")

    @cached_property
    def reading(self) -> Reading:
        return Reading(
            self.desk.locale,
            self.currency,
            {rate.code: rate for rate in self.rates},
            {str(product.uid): product for product in self._products()},
        )

    @cached_property
    def totals(self) -> totals.Totals | None:
        rounding = self.website.rounding if self.website else totals.Rounding.LINE.value
        return line_forms.compute(
            self.reading, self.rows, inclusive=self.inclusive, rounding=rounding
        )

    @property
    def currencies(self) -> list[str]:
        used = {self.currency, *(website.currency for website in self.desk.websites)}
        return [*sorted(used), *sorted(DIGITS.keys() - used)]

    @property
    def wrongs(self) -> list[tuple[int, str, str]]:
        return list(line_forms.wrongs(self.rows))

    def add(self) -> LineForm:
        row = line_forms.blank(self.default_rate)
        row.number = len(self.rows) + 1
        self.rows.append(row)
        return row

    def remove(self, number: str) -> None:
        if number.isascii() and number.isdigit() and 1 <= int(number) <= len(self.rows):
            del self.rows[int(number) - 1]
        if not self.rows:
            self.add()

    def save(self, *, issue: bool, send: bool) -> Invoice | None:
        """The invoice, or None where something is wrong, which then stands beside its field."""
        due_date = self._day("due_date")
        drafts = self.reading.drafts(self.rows)
        if self.client is None:
            self.errors["client"] = _("Choose who is billed.")
        if not drafts and issue:
            self.errors["lines"] = _("An invoice needs at least one line.")
        for name, longest in _TEXTS.items():
            if wrong := line_forms.unfit(self.values[name], longest):
                self.errors[name] = wrong
        if self.errors or self.wrongs or self.client is None:
            return None
        try:
            return self._stored(self.client, drafts, due_date, issue=issue, send=send)
        except (BillingError, MoneyError) as error:
            self.errors["form"] = said(error)
            return None

    def _stored(
        self, client: Account, drafts: list[Any], due_date: date | None, *, issue: bool, send: bool
    ) -> Invoice:
        content: Content = {
            "title": self.values["title"].strip(),
            "description": self.values["description"].strip(),
            "reference": self.values["reference"].strip(),
            "currency": self.currency,
            "inclusive": self.inclusive,
            "due_date": due_date,
        }
        by = self.desk.user
        if self.invoice is not None:
            return self._revised(self.invoice, client, drafts, content, issue=issue, send=send)
        key = self._content_key(content)
        if issue:
            return Invoice.objects.bill(
                account=client, lines=drafts, by=by, send=send, key=key, **content
            )
        return Invoice.objects.draft(account=client, lines=drafts, by=by, key=key, **content)

    def _revised(
        self,
        invoice: Invoice,
        client: Account,
        drafts: list[Any],
        content: Content,
        *,
        issue: bool,
        send: bool,
    ) -> Invoice:
        seen = parse_datetime(self.values["seen"]) if self.values["seen"] else None
        redrafting.revise_and_issue(
            invoice,
            drafts,
            content,
            client=client,
            seen=seen,
            by=self.desk.user,
            send=send if issue else None,
        )
        return invoice

    def _content_key(self, content: Content) -> str:
        """The form's key, with what it says: sent again it makes nothing; sent again changed, after
        a step back in the browser, it makes another invoice rather than issuing the first."""
        said_so = repr(
            (self.values["client"], sorted(content.items()), [r.values for r in self.rows])
        )
        digest = hashlib.sha256(said_so.encode()).hexdigest()[:24]
        return f"form-{self.values['key'][:64]}-{digest}"

    def _day(self, name: str) -> date | None:
        text = self.values[name].strip()
        if not text:
            return None
        try:
            day = parse_date(text)
        except ValueError:
            day = None
        if day is None:
            self.errors[name] = _("That is no date. Write it like 2026-03-31.")
        return day

    def _choose(self, chosen: list[str]) -> None:
        """Of the clients that were found the one that was marked; none where another name has been
        typed since one was chosen."""
        marked = len(chosen) > 1 and bool(chosen[-1])
        name = self.client.name if self.client else ""
        if marked or not self.values["client_q"].strip():
            self.values["client_q"] = name
        elif name != self.values["client_q"].strip():
            self.values["client"] = ""
            vars(self).pop("client")

    def _fill(self) -> None:
        if self.invoice is not None:
            lines = list(self.invoice.lines.select_related("product", "tax_rate"))
            self.rows = line_forms.of(lines, self.currency, self.desk.locale)
        if not self.rows:
            self.add()

    def _neighbours(self) -> Any:  # noqa: ANN401 - a TenantQuerySet of Account
        assert self.invoice is not None  # noqa: S101 - asked by the one caller
        return Account.objects.of(self.invoice.website_id)

    def _products(self) -> Iterator[Product]:
        """Those that the rows name: chosen by their id, or by their name where no price is given."""
        if self.website is None:
            return
        uids, names = [], []
        for row in self.rows:
            try:
                uids.append(uuid.UUID(row.values.get("product", "")))
            except ValueError:
                name = row.description.strip()
                if name and "\0" not in name and not row.values.get("price", "").strip():
                    names.append(name)
        ours = Product.objects.of(self.website).select_related("tax_rate")
        if uids:
            yield from ours.filter(uid__in=uids)
        if names:
            yield from ours.filter(name__in=names, is_active=True)


_NAMES = (
    *("client", "client_q", "website", "currency", "inclusive", "due_date", "title", "description"),
    *("reference", "key", "seen"),
)
_FIELDS = {"description": "about"}
"""Where a field is called otherwise: each line has a description, too."""


def _typed(data: QueryDict, name: str) -> str:
    """As it was before a browser made two characters of each line's end."""
    return data.get(name, "").replace("\r\n", "\n")


def clients(desk: Desk, text: str, website: Website | None) -> list[Account]:
    """The first that match, of one website or of all of theirs."""
    found = searching.clients_matching(text, desk)
    if website is not None:
        found = found.filter(website=website)
    return list(found.select_related("website", "user", "organisation").order_by("pk")[:_SUGGESTED])


def _of(invoice: Invoice) -> dict[str, str]:
    return {
        "client": str(invoice.client.uid),
        "client_q": invoice.client.name,
        "website": str(invoice.website.uid),
        "currency": invoice.currency,
        "inclusive": "yes" if invoice.inclusive else "no",
        "due_date": invoice.due_date.isoformat() if invoice.due_date else "",
        "title": invoice.title,
        "description": invoice.description,
        "reference": invoice.reference,
        "key": "",
        "seen": invoice.updated_at.isoformat(),
    }
