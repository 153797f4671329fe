"""What the tests of the admin have in common: two tenants, and how to read a page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.urls import reverse

from tallystick.accounts.accounts import Account
from tallystick.accounts.apikeys import ApiKey, Scope
from tallystick.accounts.memberships import Membership
from tallystick.accounts.organisations import Organisation
from tallystick.accounts.roles import Role
from tallystick.accounts.websites import Website
from tallystick.people.models import User

MODELS = [Account, ApiKey, Membership, Organisation, User, Website]


@dataclass
class Tenant:
    """A website and one of each of what it owns."""

    website: Website
    rows: dict[type[models.Model], models.Model] = field(default_factory=dict)

    def __post_init__(self) -> None:
        name = self.website.name.lower()
        person = User.objects.create_user(f"{name}-person", f"{name}@example.org")
        club = Organisation.objects.create(website=self.website, name=f"{name}-club")
        club.members.add(person)
        self.rows = {
            Website: self.website,
            User: person,
            Organisation: club,
            Account: Account.open_for_user(person, self.website),
            Membership: person.memberships.create(role=Role.CLIENT, website=self.website),
            ApiKey: ApiKey.issue(
                website=self.website, user=person, name=f"{name}-key", scopes=[Scope.READ]
            )[0],
        }

    def pk(self, model: type[models.Model]) -> int:
        return int(self.rows[model].pk)


def url(model: type[models.Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def text(response: Any) -> str:  # noqa: ANN401 - the test client's
    return str(response.content.decode())


def errors(response: Any) -> dict[str, list[str]]:  # noqa: ANN401
    return dict(response.context["adminform"].form.errors)


def inline_form(*rows: dict[str, object]) -> dict[str, object]:
    prefix = "organisationmember_set"
    form: dict[str, object] = {
        f"{prefix}-TOTAL_FORMS": len(rows),
        f"{prefix}-INITIAL_FORMS": 0,
    }
    for number, row in enumerate(rows):
        form |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return form
