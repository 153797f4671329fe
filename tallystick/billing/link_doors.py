"""Who gets in by a payment link: holders of the token, within the limits. Pages and API both ask
here, so that they count together."""

from __future__ import annotations

from tallystick.accounts.limits import Limit, TooMany
from tallystick.accounts.models import Account, OrganisationMember
from tallystick.accounts.standing import Person
from tallystick.billing import link_log, paylinks
from tallystick.billing.invoices import Invoice
from tallystick.billing.link_log import LinkEventKind
from tallystick.events.actors import Actor, ActorKind

MISSES = Limit("pay-misses", times=20, seconds=60)
"""Tokens that do not exist, per address; whoever reached it is not answered at all for a while."""

VISITS = Limit("pay-visits", times=120, seconds=60)
"""Requests per token, from wherever."""


def open_door(token: str, address: str) -> Invoice:
    """The invoice that `token` opens to whoever asks from `address`; what its holder may do with it,
    `paylinks.state` tells. Raises `UnknownLink`, `ReplacedLink` and, over a limit, `TooMany`."""
    try:
        invoice = paylinks.find(token)
    except paylinks.ReplacedLink as error:
        MISSES.spend(address)
        seen = visitor(error.invoice, address)
        link_log.note(error.invoice, LinkEventKind.REPLACED_SEEN, actor=seen)
        raise
    except paylinks.UnknownLink:
        MISSES.spend(address)
        raise
    if not VISITS.count_unless(MISSES, address, token):
        raise TooMany(VISITS.seconds)
    return invoice


def visitor(invoice: Invoice, address: str, agent: str = "") -> Actor:
    """Whoever holds the invoice's link and is not signed in; taken for who is billed."""
    return Actor(
        ActorKind.LINK,
        id=invoice.reference_id,
        label="payment link",
        address=address,
        person=person_of(invoice),
        agent=agent,
    )


def person_of(invoice: Invoice) -> str:
    """Under whose key the addresses of the invoice's visitors are kept."""
    return f"account:{invoice.client_id}"


def is_of(user: Person, account: Account) -> bool:
    """Whether `user` is billed by `account`, or a member of the organisation that is."""
    if not user.is_authenticated:
        return False
    if account.organisation_id is None:
        return account.user_id == user.pk
    return OrganisationMember.objects.filter(
        user=user, organisation_id=account.organisation_id
    ).exists()
