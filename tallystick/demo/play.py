"""The play: the main job from sign-up to the books, checked at every station from the outside.

What the sandbox and the mailbox hold is the witness, not our own tables.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

import httpx2
from babel import Locale
from django.core.management import CommandError, call_command

from tallystick.accounts.models import Account, Website
from tallystick.billing import doctoring
from tallystick.billing.lines import LineDraft
from tallystick.billing.models import Invoice, Product
from tallystick.demo.data import BRITONS, EUROPEANS, PASSWORD, PRODUCTS, Cast
from tallystick.events import Actor, ActorKind, acting
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.kit import spelling
from tallystick.people.models import User
from tallystick.queue.rows import State
from tallystick.sandbox.running import Running

PATIENCE = 45.0
"""Seconds that a station may take."""
POLL = 0.1
IDLE = 2.0
"""Seconds over which a worker with nothing to do takes no lease."""

T = TypeVar("T")


class Unmet(Exception):
    """A station did not come out as it should."""


@dataclass
class Play:
    """`say` gets a line per station. `pay_link` and `paid_link` are for the people who watch."""

    cast: Cast
    web: str
    sandbox: Running
    say: Callable[[str], None]
    pay_link: str = ""
    paid_link: str = ""
    stations: int = 0
    failures: list[str] = field(default_factory=list)

    def run(self) -> bool:
        """Play all stations; whether each came out right."""
        anna, oliver = self._account("anna"), self._account("oliver")
        self._station(
            "12 customers and 20 products are in two Xero companies, each once", self._known
        )
        self._station(
            "and in Invoice Ninja: one website's directly, the other's by a relay that calls back",
            self._known_at_invoice_ninja,
        )
        paid = self._station("staff issue an invoice to Anna Becker", lambda: self._issue(anna))
        away = self._station("and one to Oliver Hughes, in pounds", lambda: self._issue(oliver))
        if not paid or not away:
            return False
        self._station(
            f"{paid.number} is mailed to her with its link and PDF", lambda: self._mailed(paid)
        )
        self._station("both invoices are in Xero, each once", lambda: self._booked([paid, away]))
        self._station(
            "she opens the link, signs in and pays from her wallet", lambda: self._pays(paid)
        )
        self._station("his link opens too, and asks for his pounds", lambda: self._opens(away))
        self._station("her receipt is mailed, once", lambda: self._receipted(paid))
        self._station(
            "the payment is recorded in Xero and in Invoice Ninja, once",
            lambda: self._recorded(paid),
        )
        self._station(
            f"{away.number} is paid in Xero; the signed webhook brings it back",
            lambda: self._comes_back(away),
        )
        self._station(
            "nothing is out of step, the worker is idle, the journal is whole", self._in_step
        )
        self._station("more invoices for you to try", self._more)
        self._station("doctor: all well", self._is_well)
        return not self.failures

    # -- stations

    def _known(self) -> None:
        for website, people in ((self.cast.europe, EUROPEANS), (self.cast.britain, BRITONS)):
            self._complete(website, "contacts", len(people))
            self._complete(website, "items", len(PRODUCTS))

    def _known_at_invoice_ninja(self) -> None:
        people = [person for person in BRITONS if not person.company]  # the relay takes people
        wanted = {
            ("invoiceninja", "clients"): len(EUROPEANS),
            ("invoiceninja", "products"): len(PRODUCTS),
            ("relay", "customers"): len(people),
            ("relay", "products"): len(PRODUCTS),
        }
        for (name, kind), count in wanted.items():
            self._made_there(name, kind, count)

    def _made_there(self, name: str, kind: str, count: int) -> None:
        stand = self.sandbox.stand(name)
        self._until(lambda: len(stand.ledger(kind)) == count, f"{count} {kind} at {name}")
        _once_each(stand.ledger(kind))

    def _complete(self, website: Website, kind: str, wanted: int) -> None:
        tenant = self._tenant(website)
        self._until(
            lambda: len(self._made(kind, tenant)) == wanted, f"{wanted} {kind} of {website}"
        )
        _once_each(self._made(kind, tenant))

    def _issue(self, account: Account) -> Invoice:
        products = Product.objects.of(account.website).order_by("pk")
        lines = [
            LineDraft(product=products[0], quantity=Decimal(2)),
            LineDraft(product=products[2], quantity=Decimal(4), discount_percent=Decimal(10)),
            LineDraft(description="Consultation", unit_price=Decimal("45.50")),
        ]
        staff = User.objects.get(username="admin")
        with acting(Actor(ActorKind.USER, id=str(staff.pk), label="staff")):
            invoice = Invoice.objects.draft(
                account=account, lines=lines, by=staff, title="Treatment plan, first stage"
            )
            invoice.issue(by=staff)
        return invoice

    def _mailed(self, invoice: Invoice) -> None:
        subject = f"Invoice #{invoice.reference_id} - Payment Due"
        mails = self._until(lambda: self._mails(invoice, subject), "the invoice's mail")
        mail = self.sandbox.mail(mails[0]["id"])
        link = re.search(r"https?://\S+/pay/invoice/\S+", mail["text"])
        _require(len(mails) == 1, f"{len(mails)} mails were sent")
        _require(bool(link), "the mail holds no payment link")
        _require(
            any(part["type"] == "application/pdf" for part in mail["attachments"]),
            "the mail holds no PDF",
        )
        self.paid_link = link[0] if link else ""

    def _booked(self, invoices: list[Invoice]) -> None:
        for invoice in invoices:
            self._until(partial(self._is_booked, invoice), f"{invoice.number} in Xero")
            _once_each(self._made("invoices", self._tenant(invoice.website)))

    def _pays(self, invoice: Invoice) -> None:
        with httpx2.Client(base_url=self.web, follow_redirects=True, trust_env=False) as browser:
            path = httpx2.URL(self.paid_link).path
            page = browser.get(path)
            _require(page.status_code == httpx2.codes.OK, f"the pay page says {page.status_code}")
            self._sign_in(browser, invoice.client)
            form = _form(browser.get(path).text)
            form |= {"method": "wallet", "amount": str(invoice.due.amount)}
            answer = browser.post(path, data=form, headers={"referer": f"{self.web}{path}"})
            _require(answer.status_code == httpx2.codes.OK, f"paying says {answer.status_code}")
        invoice.refresh_from_db()
        _require(invoice.is_paid, f"the invoice is {invoice.status}")

    def _opens(self, invoice: Invoice) -> None:
        page = httpx2.get(invoice.url, trust_env=False)
        _require(page.status_code == httpx2.codes.OK, f"the pay page says {page.status_code}")
        asked = spelling.amount(invoice.amount_due, invoice.currency, Locale("en", "GB"))
        _require(f"{asked} <small>{invoice.currency}" in page.text, f"it does not ask for {asked}")

    def _receipted(self, invoice: Invoice) -> None:
        mails = self._until(
            lambda: [m for m in self._mails(invoice) if "Payment Due" not in m["subject"]],
            "the receipt's mail",
        )
        _require(len(mails) == 1, f"{len(mails)} receipts were sent")

    def _recorded(self, invoice: Invoice) -> None:
        tenant = self._tenant(invoice.website)
        self._until(lambda: self._made("payments", tenant), "the payment in Xero")
        _once_each(self._made("payments", tenant))
        _require(len(self._made("payments", tenant)) == 1, "more than one payment is there")
        for kind in ("invoices", "payments"):
            self._made_there("invoiceninja", kind, 1)

    def _comes_back(self, invoice: Invoice) -> None:
        tenant = self._tenant(invoice.website)
        self.sandbox.xero.act("pay_invoice", invoice=invoice.number, organisation=tenant)
        self._until(lambda: self._is_paid(invoice), f"{invoice.number} paid here")
        payment = invoice.payment
        _require(payment is not None and payment.method == "xero", "it was paid by other means")
        time.sleep(1)
        made = self._made("payments", tenant)
        _require(sum(made.values()) == 1, "the payment went back to Xero as another one")

    def _in_step(self) -> None:
        self._until(
            lambda: not Link.objects.filter(state__in=[State.DUE, State.UNCERTAIN]).exists(),
            "all links in step",
        )
        self._until(self._is_idle, "the worker to be idle")
        wrong = Link.objects.waiting_for_us().values_list("key", "last_error", "difference")
        _require(not wrong, f"out of step: {list(wrong)}")
        try:
            call_command("verify_journal", verbosity=0, stdout=_Nowhere())
        except (CommandError, SystemExit) as error:
            raise Unmet(f"the journal does not verify: {error}") from None

    def _is_idle(self) -> bool:
        """Whether nobody serves a connection for a while: there is nothing left to do."""
        before = self._fences()
        time.sleep(IDLE)
        return self._fences() == before

    def _is_well(self) -> None:
        """Everything that can be recomputed comes out the same, while the worker goes on."""
        found = [f"{check.name}: {finding}" for check, finding in doctoring.examine()]
        _require(not found, "; ".join(found))

    def _more(self) -> None:
        """Something to look at: open, partly paid and overdue invoices of several customers."""
        for name in ("jonas", "elif", "harry", "isla"):
            invoice = self._issue(self._account(name))
            self.pay_link = self.pay_link or invoice.url
        today = self.cast.europe.today()
        late = Invoice.objects.draft(
            account=self._account("zeynep"),
            lines=[LineDraft(product=Product.objects.of(self.cast.europe).order_by("pk")[5])],
            issue_date=today - timedelta(days=40),
            due_date=today - timedelta(days=10),
        )
        late.issue()

    # -- how it goes on

    def _fences(self) -> list[int]:
        fences = Connection.objects.everywhere().order_by("pk").values_list("fence", flat=True)
        return list(fences)

    def _station(self, title: str, deed: Callable[[], T]) -> T | None:
        self.stations += 1
        began = time.monotonic()
        try:
            result = deed()
        except (Unmet, httpx2.HTTPError) as error:
            self.failures.append(title)
            self.say(f"  ✗ {title}\n      {error}")
            return None
        self.say(f"  ✓ {title}  ({time.monotonic() - began:.1f} s)")
        return result

    def _until(self, answer: Callable[[], T], what: str) -> T:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if found := answer():
                return found
            time.sleep(POLL)
        raise Unmet(f"waited {PATIENCE:.0f} s for {what}")

    # -- what the outside holds

    def _made(self, kind: str, tenant: str) -> dict[str, int]:
        return self.sandbox.xero.ledger(kind, account=tenant)

    def _is_booked(self, invoice: Invoice) -> bool:
        return invoice.number in self._made("invoices", self._tenant(invoice.website))

    def _tenant(self, website: Website) -> str:
        return next(c.account for c in self.cast.connections if c.website_id == website.pk)

    def _mails(self, invoice: Invoice, subject: str = "") -> list[dict[str, Any]]:
        return self.sandbox.mails(to=invoice.client.email, subject=subject)

    def _account(self, username: str) -> Account:
        return Account.objects.everywhere().select_related("website").get(user__username=username)

    def _is_paid(self, invoice: Invoice) -> bool:
        invoice.refresh_from_db()
        return invoice.is_paid

    def _sign_in(self, browser: httpx2.Client, account: Account) -> None:
        page = browser.get("/accounts/login/")
        user = User.objects.get(account=account)
        form = _form(page.text) | {"login": user.username, "password": PASSWORD}
        referer = {"referer": f"{self.web}/accounts/login/"}
        answer = browser.post("/accounts/login/", data=form, headers=referer)
        _require("sessionid" in browser.cookies, f"signing in says {answer.status_code}")


class _Nowhere:
    """A stream for what need not be read."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass


def _form(page: str) -> dict[str, str]:
    """The hidden fields of the page's forms: what a browser would send along."""
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: value for name, value in hidden if name != "next"}


def _once_each(made: dict[str, int]) -> None:
    doubled = [key for key, count in made.items() if count != 1]
    _require(not doubled, f"made more than once: {doubled}")


def _require(fact: bool, complaint: str) -> None:
    if not fact:
        raise Unmet(complaint)
