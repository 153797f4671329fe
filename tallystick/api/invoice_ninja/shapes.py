"""What is answered, and its description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tallystick.integrations.invoice_ninja.people import Person
from tallystick.integrations.invoice_ninja.states import (
    ProductSyncStatus,
    SyncStatus,
    product_status_of,
    status_of,
)
from tallystick.integrations.links import Link

if TYPE_CHECKING:
    from tallystick.people.models import User

S = serializers
Shape = dict[str, Any]


class UserStatus(S.Serializer[Any]):
    user_id = S.IntegerField()
    username = S.CharField()
    email = S.CharField()
    invoice_ninja_client_id = S.CharField(allow_null=True)
    sync_status = S.ChoiceField(SyncStatus.choices)
    sync_attempts = S.IntegerField()
    last_sync_attempt = S.DateTimeField(allow_null=True)
    is_synced = S.BooleanField()


class UserChanged(UserStatus):
    changed = S.BooleanField(help_text="Whether the call changed anything.")


class ProductChanged(S.Serializer[Any]):
    product_id = S.CharField()
    key = S.CharField()
    invoice_ninja_product_id = S.CharField(allow_null=True)
    sync_status = S.ChoiceField(ProductSyncStatus.choices)
    sync_attempts = S.IntegerField()
    last_sync_attempt = S.DateTimeField(allow_null=True)
    is_synced = S.BooleanField()
    changed = S.BooleanField(help_text="Whether the call changed anything.")


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]})
class SentId(S.Field[Any, Any, Any, Any]):
    """As it was sent, if it looks like an id."""


class BulkError(S.Serializer[Any]):
    index = S.IntegerField(help_text="Its place in the list that was sent, from 0.")
    django_user_id = SentId(allow_null=True)
    field = S.CharField(help_text="Which one is wrong, if one is.")
    error = S.CharField()


class BulkDone(S.Serializer[Any]):
    batch_id = S.CharField(allow_null=True)
    processed_count = S.IntegerField()
    success_count = S.IntegerField(help_text="In step now; of a retry: due now.")
    error_count = S.IntegerField(help_text="Reported as failed, or refused.")
    errors = BulkError(many=True)  # type: ignore[assignment] # a name of the base class


def user(person: Person, link: Link | None) -> Shape:
    """How a user stands; without a link they have not been sent yet."""
    owner = person.account.user
    assert owner is not None  # noqa: S101 - found by it
    return _of(owner, person.account.email, link)


def unlinked(owner: User) -> Shape:
    return _of(owner, owner.email, None)


def _of(owner: User, email: str, link: Link | None) -> Shape:
    status = status_of(link)
    return {
        "user_id": owner.pk,
        "username": owner.get_username(),
        "email": email,
        "invoice_ninja_client_id": (link.remote_id or None) if link else None,
        "sync_status": status.value,
        "sync_attempts": link.attempts if link else 0,
        "last_sync_attempt": link.attempted_at if link else None,
        "is_synced": status == SyncStatus.SYNCED,
    }


def product(link: Link) -> Shape:
    status = product_status_of(link)
    return {
        "product_id": link.local_id,
        "key": link.key,
        "invoice_ninja_product_id": link.remote_id or None,
        "sync_status": status.value,
        "sync_attempts": link.attempts,
        "last_sync_attempt": link.attempted_at,
        "is_synced": status == ProductSyncStatus.SYNCED,
    }
