"""BankTransaction: a line of a bank's statement, and what was decided of it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.models import Account
from tallystick.accounts.tenancy import TenantModel
from tallystick.billing import locks, payments
from tallystick.billing.banking.statements import BankStatement
from tallystick.billing.errors import BillingError
from tallystick.billing.fields import AmountField
from tallystick.billing.invoices import Invoice
from tallystick.billing.payment_rows import Payment
from tallystick.billing.refunds import Refund, receive_external_refund
from tallystick.billing.states import RefundStatus
from tallystick.events import record
from tallystick.kit import clock
from tallystick.kit.db.validators import validate_currency
from tallystick.kit.money import Money

if TYPE_CHECKING:
    from tallystick.billing.banking.proposals import BankProposal
    from tallystick.people.models import User

Shares = Sequence[tuple[Invoice, Decimal]]
METHOD = "bank_transfer"
_KEY = "bank:"
_UID = re.compile(rf"{_KEY}([0-9a-f]{{32}})\Z")


class AlreadyDecided(BillingError):
    """This line is decided already; look at it again."""


class WrongSum(BillingError):
    """The shares are more than what came."""


class Moved(BillingError):
    """What is due has changed in the meantime."""


class NotMoneyIn(BillingError):
    """Only money that came in can be booked on invoices or put in a wallet."""


class NothingChosen(BillingError):
    """Choose what the money is for."""


class LineState(models.TextChoices):
    NEW = "new", _("not looked at yet")
    PROPOSED = "proposed", _("proposed")
    UNMATCHED = "unmatched", _("nothing found")
    MATCHED = "matched", _("booked by itself")
    ACCEPTED = "accepted", _("booked by hand")
    IGNORED = "ignored", _("set aside")
    OUTGOING = "outgoing", _("money out, nothing to do")


UNDECIDED = (LineState.NEW, LineState.PROPOSED, LineState.UNMATCHED)
OPEN = (*UNDECIDED, LineState.OUTGOING)
"""What somebody may still decide."""


class BankTransaction(TenantModel):
    """What the bank says stays as it was: `amount` is negative for what went out, `identity` the same
    in every statement that holds the line, `reference` the bank's own.

    `payment` is what was booked for it, `refund` the refund that it is. `double_of`: a line of a file
    in another format that may well be the same movement."""

    State = LineState

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    statement = models.ForeignKey(BankStatement, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    account = models.CharField(_("account"), max_length=34)
    identity = models.CharField(max_length=80, editable=False)
    booked_on = models.DateField(_("booked on"))
    value_on = models.DateField(_("value date"), null=True)
    amount = AmountField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3, validators=[validate_currency])
    original = models.CharField(_("sent as"), max_length=100, blank=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    iban = models.CharField("IBAN", max_length=34, blank=True)
    text = models.TextField(_("text"), blank=True)
    structured = models.TextField(_("creditor reference"), blank=True)
    reference = models.CharField(_("bank's reference"), max_length=100, blank=True)
    end_to_end = models.CharField(_("sender's reference"), max_length=100, blank=True)
    is_reversal = models.BooleanField(_("reversal"), default=False)
    return_reason = models.CharField(_("returned because"), max_length=100, blank=True)
    whole_batch = models.BooleanField(_("several payments in one"), default=False)
    double_of = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    state = models.CharField(
        _("state"), max_length=10, choices=LineState, default=LineState.NEW, editable=False
    )
    payment = models.ForeignKey(
        "billing.Payment", null=True, on_delete=models.PROTECT, related_name="bank_lines"
    )
    refund = models.ForeignKey(
        Refund, null=True, on_delete=models.PROTECT, related_name="bank_lines"
    )
    note = models.CharField(_("note"), max_length=500, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("bank transaction")
        verbose_name_plural = _("bank transactions")
        ordering = ["-booked_on", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["website", "account", "identity"], name="bank_line_once"
            ),
            models.UniqueConstraint(
                fields=["refund"], condition=Q(refund__isnull=False), name="bank_line_of_refund"
            ),
            models.CheckConstraint(condition=Q(state__in=LineState.values), name="bank_line_state"),
            models.CheckConstraint(condition=~Q(amount=0), name="bank_line_amount"),
            models.CheckConstraint(
                condition=Q(state__in=["matched", "accepted"])
                | Q(payment__isnull=True, refund__isnull=True),
                name="bank_line_booked_is_decided",
            ),
        ]
        indexes = [
            models.Index(fields=["website", "booked_on", "id"], name="bank_line_by_day"),
            models.Index(
                fields=["website", "booked_on", "id"],
                condition=Q(state__in=["new", "proposed", "unmatched"]),
                name="bank_line_undecided",
            ),
            models.Index(fields=["statement", "position"], name="bank_line_of_statement"),
            models.Index(fields=["website", "iban"], name="bank_line_by_sender"),
        ]

    def __str__(self) -> str:
        return f"{self.booked_on} {self.money}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency).rounded()

    @property
    def is_credit(self) -> bool:
        return self.amount > 0

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_booked(self) -> bool:
        return self.payment_id is not None or self.refund_id is not None

    @property
    def texts(self) -> tuple[str, ...]:
        """Where a client's reference may stand."""
        return tuple(filter(None, (self.structured, self.text, self.end_to_end)))

    @property
    def key(self) -> str:
        """The idempotency key of what is booked for it: it is booked once."""
        return f"{_KEY}{self.uid.hex}"

    @classmethod
    def is_being_booked(cls, payment: Payment) -> bool:
        """Whether a line is being booked as `payment`, in this transaction: from outside no line is
        ever seen as decided and without its payment."""
        uid = _UID.search(payment.key)
        if uid is None:
            return False
        booking = cls.objects.of(payment.website_id).filter(uid=uid[1], payment=None, refund=None)
        return booking.filter(
            state__in=(LineState.MATCHED, LineState.ACCEPTED),
            amount=payment.amount,
            currency=payment.currency,
        ).exists()

    def book(
        self,
        shares: Shares,
        *,
        by: User | None,
        extra_to: Account | None = None,
        alone: bool = False,
    ) -> Payment:
        """Pay each invoice its share with the money of this line; what is left goes to the wallet of
        who is billed, or of `extra_to`. `alone`: it is matched beyond doubt, nobody decided it.

        A second time returns the first payment. Raises `AlreadyDecided`, `NotMoneyIn`, `WrongSum`,
        `NothingChosen`, and what `payments.pay_many` raises; then nothing was done."""
        account = shares[0][0].client if shares else extra_to
        if account is None or account.website_id != self.website_id:
            raise NothingChosen(_g("Choose what the money is for."))
        state = LineState.MATCHED if alone else LineState.ACCEPTED

        def pay() -> Payment:
            if alone:
                _require_dues(shares)
            extra = self.amount - sum((amount for _invoice, amount in shares), Decimal(0))
            if extra < 0:
                raise WrongSum
            if not shares:
                return self._kept_for(account, by)
            return payments.pay_many(
                account,
                shares,
                method=METHOD,
                by=by,
                key=self.key,
                reference=self.reference or self.end_to_end,
                received_on=self.booked_on,
                extra=extra,
            )

        return self._decide_once(pay, state, by)

    def accept(self, proposal: BankProposal, *, by: User | None) -> None:
        """Do what one of its proposals says. Raises `NothingChosen` for another line's."""
        if proposal.line_id != self.pk:
            raise NothingChosen(_g("Choose what the money is for."))
        proposal.line = self
        proposal.accept(by=by)

    def to_wallet(self, account: Account, *, by: User | None) -> Payment:
        """All of it goes to the wallet of `account`. Raises as `book` does."""
        return self.book((), by=by, extra_to=account)

    def confirm_refund(self, refund: Refund, *, by: User | None) -> None:
        """This is the money of `refund` going out, which no other line is. Raises `AlreadyDecided`,
        `WrongSum`."""
        with transaction.atomic():
            self._claim(LineState.ACCEPTED, by)
            if refund.website_id != self.website_id or refund.money != -self.money:
                raise WrongSum(_g("The refund is of another amount than this line."))
            refund.lock()
            if refund.status == RefundStatus.FAILED or refund.bank_lines.exists():
                raise AlreadyDecided(_g("This refund does not wait to go out any more."))
            refund.succeed(reference=self.reference, date=self.booked_on)
            self._settle(refund=refund)
            self._withdraw_elsewhere(refund)

    def take_back(self, payment: Payment, *, by: User | None) -> Refund:
        """The bank took back what came as `payment`: its invoices are owed again. Raises
        `AlreadyDecided`, `WrongSum`, and what `refunds.receive_external_refund` raises."""
        with transaction.atomic():
            self._claim(LineState.ACCEPTED, by)
            if self.is_credit or not self._is_like(payment):
                raise WrongSum(_g("This line takes nothing back of that payment."))
            refund = receive_external_refund(
                payment, amount=-self.amount, reference=self.key, date=self.booked_on
            )
            self._settle(refund=refund)
        return refund

    def ignore(self, *, by: User | None, note: str = "") -> None:
        """Set it aside: it pays nothing here. Raises `AlreadyDecided`."""
        with transaction.atomic():
            self._claim(LineState.IGNORED, by)
            self.note = note.strip()[:500]
            self.save(update_fields=["note"])
            record("bank.line_ignored", self)

    def put_back(self, *, by: User | None) -> None:
        """What was set aside is to be decided again; changes nothing where it was not."""
        del by
        with transaction.atomic():
            locks.hold(self)
            if self.state != LineState.IGNORED:
                return
            found = self.proposals.exists()
            self.state = LineState.PROPOSED if found else LineState.UNMATCHED
            self.note, self.decided_by, self.decided_at = "", None, None
            self.save(update_fields=["state", "note", "decided_by", "decided_at"])
            record("bank.line_put_back", self)

    def _kept_for(self, account: Account, by: User | None) -> Payment:
        payment = Payment(
            website_id=self.website_id,
            account=account,
            method=METHOD,
            amount=self.money.amount,
            currency=self.currency,
            key=self.key,
            reference=self.reference or self.end_to_end,
            received_on=self.booked_on,
            created_by_id=by.pk if by is not None else None,
        )
        payment.save(force_insert=True)
        payment.settle(())
        return payment

    def _is_like(self, row: Payment) -> bool:
        return row.website_id == self.website_id and row.currency == self.currency

    def _decide_once(
        self, act: Callable[[], Payment], state: LineState, by: User | None
    ) -> Payment:
        with transaction.atomic():
            locks.hold(self)
            if self.payment is not None:
                return self.payment
            if not self.is_credit:
                raise NotMoneyIn
            self._claim(state, by)
            payment = act()
            self._settle(payment=payment)
        return payment

    def _withdraw_elsewhere(self, refund: Refund) -> None:
        """No other line is proposed to be `refund`. Lines that somebody decides at this moment are
        passed over: they are refused, or are something else."""
        others = BankTransaction.objects.of(self.website_id).filter(state__in=UNDECIDED)
        named = others.filter(pk__in=refund.bank_proposals.values("line")).order_by("pk")
        for line in named.select_for_update(of=("self",), no_key=True, skip_locked=True):
            line.proposals.filter(refund=refund).delete()
            if not line.proposals.exists():
                says_back = line.is_reversal or line.return_reason
                line.state = LineState.UNMATCHED if says_back else LineState.OUTGOING
                line.save(update_fields=["state"])

    def _claim(self, state: LineState, by: User | None) -> None:
        """Hold the row, and say that it is decided. Before the invoice: see `locks`."""
        locks.hold(self)
        if not self.is_open:
            raise AlreadyDecided
        self.state, self.decided_at = state, clock.now()
        self.decided_by_id = by.pk if by is not None and by.is_authenticated else None
        self.save(update_fields=["state", "decided_at", "decided_by"])

    def _settle(self, *, payment: Payment | None = None, refund: Refund | None = None) -> None:
        self.payment, self.refund = payment, refund
        self.save(update_fields=["payment", "refund"])
        matched = self.state == LineState.MATCHED
        booked = payment or refund
        change = {
            "amount": self.amount,
            "currency": self.currency,
            "payment" if payment else "refund": booked.uid.hex if booked else "",
        }
        record("bank.line_matched" if matched else "bank.line_accepted", self, change=change)


def _require_dues(shares: Shares) -> None:
    """Hold the invoices and see that each is still due what it is to get. Raises `Moved`."""
    for invoice, amount in sorted(shares, key=lambda share: share[0].pk):
        invoice.lock()
        if invoice.amount_due != amount:
            raise Moved
