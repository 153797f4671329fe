"""What the journal holds of a person; see `accounts.personal`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q

from tallystick.accounts.models import Account, Organisation
from tallystick.accounts.personal import Holding, Kept, Whom, holds_nothing, register
from tallystick.events.models import Event, PersonKey

_WHY = "the journal is never cut; of a person it holds ids, and the addresses' key is destroyed"


def by_or_about(whom: Whom) -> Any:  # noqa: ANN401 - a queryset of the journal
    """What they did, and what was done to them."""
    about = Q(pk__in=())
    for model, ids in (
        (get_user_model(), whom.users),
        (Account, whom.accounts),
        (Organisation, whom.organisations),
    ):
        texts = [str(pk) for pk in ids]
        about |= Q(subject_type=model._meta.label_lower, subject_id__in=texts)
        if model is get_user_model():
            about |= Q(actor_kind="user", actor_id__in=texts)
    about |= Q(actor_kind="api_key", actor_id__in=[str(pk) for pk in whom.api_keys])
    return Event.objects.everywhere().filter(about)


def _keys(whom: Whom) -> Any:  # noqa: ANN401 - a queryset
    return PersonKey.objects.filter(subject__in=whom.subjects)


def _keep(whom: Whom) -> Iterator[Kept]:
    if count := by_or_about(whom).count():
        yield Kept("journal", count, _WHY)


def install() -> None:
    register(
        Holding(
            section="journal",
            model=Event,
            rows=by_or_about,
            show=[
                "at",
                "kind",
                "subject_type",
                "actor_kind",
                "actor_label",
                "address_shown",
                "change",
            ],
            keep=_keep,
        ),
        Holding(
            section="keys",
            model=PersonKey,
            rows=_keys,
            show=["subject", "created_at", "destroyed_at"],
            erase=lambda whom: PersonKey.destroy(whom.subjects),
        ),
    )
    holds_nothing("hashes", "events.Chain")
