"""What the page says where a payment link exists but opens nothing to pay."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tallystick.billing.paylinks import LinkState


@dataclass(frozen=True, slots=True)
class Closed:
    status: HTTPStatus
    heading: str | Promise
    meaning: str | Promise
    advice: str | Promise


REPLACED = Closed(
    HTTPStatus.GONE,
    _("This payment link was replaced"),
    _("Whoever sent the invoice has made a newer link. Nothing was paid here."),
    _("Use the newest link that you were sent; otherwise ask for it."),
)

CLOSED = {
    LinkState.EXPIRED: Closed(
        HTTPStatus.GONE,
        _("This payment link has expired"),
        _("For safety, links stop working some time after the due date. Nothing was paid here."),
        _("Ask for a new link; the invoice itself is still open."),
    ),
    LinkState.REVOKED: Closed(
        HTTPStatus.GONE,
        _("This payment link was withdrawn"),
        _("Whoever sent the invoice has switched this link off. Nothing was paid here."),
        _("If you were sent a newer link, use that one; otherwise ask for it."),
    ),
    LinkState.VOID: Closed(
        HTTPStatus.OK,
        _("This invoice is void"),
        _("It was cancelled by whoever sent it. You owe nothing for it."),
        _("There is nothing left to do."),
    ),
    LinkState.USED: Closed(
        HTTPStatus.GONE,
        _("This payment link has been used"),
        _("It was good for one payment, and that payment arrived."),
        _("To pay the rest, ask for a new link."),
    ),
}
