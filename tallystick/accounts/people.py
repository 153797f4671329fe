"""Which people an admin sees and may manage. A user belongs to no website; their accounts do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

from tallystick.accounts.accounts import Account
from tallystick.accounts.memberships import Membership
from tallystick.accounts.organisations import OrganisationMember
from tallystick.accounts.roles import websites_of
from tallystick.accounts.standing import Person, Standing, standing_of

if TYPE_CHECKING:
    from tallystick.people.models import User


def people_visible_to(user: Person) -> QuerySet[User]:
    return people_within(standing_of(user))


def people_within(standing: Standing) -> QuerySet[User]:
    """Everybody for a superadmin; for an admin those who have to do with their websites."""
    people = get_user_model()._default_manager.all()
    if standing.is_superadmin:
        return people
    sites: Any = standing.admin_of
    return people.filter(
        Q(pk__in=Account.objects.of(sites).filter(user__isnull=False).values("user"))
        | Q(pk__in=Membership.objects.filter(website__in=sites).values("user"))
        | Q(
            pk__in=OrganisationMember.objects.filter(organisation__website__in=sites).values("user")
        )
    )


def may_manage(user: Person, person: User) -> bool:
    """Whether `user` may change `person`, who could else be signed in as by a new password.

    An admin may not where the person can do more than they, or has to do with other websites.
    """
    ours, theirs = standing_of(user), standing_of(person)
    if ours.is_superadmin:
        return True
    if theirs.is_superadmin or not ours.admin_of:
        return False
    sites = set(websites_of(person).values_list("pk", flat=True))
    return bool(sites) and sites <= ours.admin_of
