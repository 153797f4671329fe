"""The users that a call names, and their links; what is another website's is not there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rest_framework.exceptions import ValidationError

from tallystick.accounts.models import Account
from tallystick.accounts.people import people_within
from tallystick.accounts.standing import Standing
from tallystick.api.invoice_ninja.inputs import UserId
from tallystick.api.problems import Problem
from tallystick.integrations.connections import Connection
from tallystick.integrations.invoice_ninja import routes
from tallystick.integrations.invoice_ninja.people import Person, mark, people
from tallystick.integrations.links import Link

if TYPE_CHECKING:
    from tallystick.people.models import User

NO_USER = "There is no such user at the websites that this is for."


def user_named(connections: Sequence[Connection], text: str) -> Person:
    """The user whose id stands in the address. Raises `Problem`."""
    try:
        user_id = UserId().run_validation(text)
    except ValidationError:
        raise Problem("not_found", NO_USER) from None
    found = people(connections, [user_id]).get(user_id)
    if found is None:
        raise Problem("not_found", NO_USER)
    return found


def unlinked(standing: Standing, text: str) -> User:
    """The user whose id that is, where staff may see them and nothing is there to be sent: who has
    no account, or whose website has no connection. Raises `Problem`."""
    try:
        found = people_within(standing).filter(pk=UserId().run_validation(text)).first()
    except ValidationError:
        found = None
    if found is None or routes.links_of_users([found.pk]):
        raise Problem("not_found", NO_USER)
    return found


def marked(connections: Sequence[Connection], user_ids: Iterable[Any]) -> dict[Any, Person]:
    """Those of `user_ids` that there are, each with a link."""
    found = people(connections, user_ids)
    without = [person for person in found.values() if not person.links]
    if without:
        mark(connections, without)
        found |= people(connections, [person.user_id for person in without])
    return found


def persons_of(links: Sequence[Link]) -> list[tuple[Person, Link]]:
    """Whose `links` are, in their order: one query."""
    ids = {link.local_id for link in links}
    accounts = Account.objects.of({link.connection.website_id for link in links})
    found = routes.by_local_id(accounts.filter(pk__in=ids))
    return [
        (Person(found[link.local_id], [link]), link) for link in links if link.local_id in found
    ]
