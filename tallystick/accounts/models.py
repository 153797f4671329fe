"""Lists the models for Django; each lives in the file of its noun."""

from __future__ import annotations

from tallystick.accounts.accounts import Account
from tallystick.accounts.apikeys import ApiKey
from tallystick.accounts.idempotency import KeptAnswer
from tallystick.accounts.memberships import Membership
from tallystick.accounts.organisations import Organisation, OrganisationMember
from tallystick.accounts.tries import Tries
from tallystick.accounts.websites import Website

__all__ = [
    "Account",
    "ApiKey",
    "KeptAnswer",
    "Membership",
    "Organisation",
    "OrganisationMember",
    "Tries",
    "Website",
]
