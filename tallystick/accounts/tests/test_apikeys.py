from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from tallystick.accounts.accounts import Account
from tallystick.accounts.apikeys import ApiKey, Scope
from tallystick.accounts.websites import Website
from tallystick.kit import clock, signing
from tallystick.people.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(ours: Website) -> User:
    ann = User.objects.create_user("ann")
    Account.open_for_user(ann, ours)
    return ann


@pytest.fixture
def issue(ours: Website, ann: User) -> Callable[..., tuple[ApiKey, str]]:
    def issue(**values: Any) -> tuple[ApiKey, str]:
        return ApiKey.issue(
            **{"website": ours, "user": ann, "name": "shop", "scopes": [Scope.READ], **values}
        )

    return issue


Issue = Callable[..., tuple[ApiKey, str]]


def test_a_key_opens(issue: Issue, ours: Website, ann: User) -> None:
    key, text = issue()
    found = ApiKey.verify(text)
    assert found is not None
    assert found == key
    assert (found.website, found.user, found.state) == (ours, ann, ApiKey.State.ACTIVE)
    assert found.allows(Scope.READ)
    assert not found.allows(Scope.PAYMENTS)


def test_the_text_of_a_key_is_not_kept(issue: Issue) -> None:
    key, text = issue()
    secret = text.split("_", 2)[2]
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    row = str(ApiKey.objects.everywhere().values().get(pk=key.pk))
    assert secret not in row + repr(key) + str(key)
    assert issue()[1] != text


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: text[:-1],
        lambda text: text + "A",
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
        lambda text: text.replace("tally_", "tally-"),
        lambda text: text.upper(),
        lambda text: f"tally_{'0' * 12}_{text.split('_', 2)[2]}",
        lambda text: f" {text}",
        lambda text: f"{text}\n",
        lambda text: "é" * 60,
        lambda text: "\ud800" * 60,
        lambda text: "\0" * 60,
        lambda text: "tally_" + "x" * 100_000,
    ],
)
def test_anything_else_opens_nothing(issue: Issue, spoil: Callable[[str], str]) -> None:
    text = issue()[1]
    assert ApiKey.verify(spoil(text)) is None


def test_a_key_ends(issue: Issue, ann: User) -> None:
    with clock.use(clock.VirtualClock()) as virtual:
        expiring, expiring_text = issue(expires_at=clock.now() + timedelta(hours=1))
        revoked, revoked_text = issue()
        kept, kept_text = issue()
        virtual.advance(timedelta(minutes=59))
        assert ApiKey.verify(expiring_text) == expiring
        virtual.advance(timedelta(minutes=1))
        assert ApiKey.verify(expiring_text) is None
        assert expiring.state == ApiKey.State.EXPIRED

        revoked.revoke()
        first = revoked.revoked_at
        virtual.advance(timedelta(days=1))
        revoked.revoke()
        assert revoked.revoked_at == first
        assert ApiKey.verify(revoked_text) is None
        assert revoked.state == ApiKey.State.REVOKED

        ann.is_active = False
        ann.save()
        assert ApiKey.verify(kept_text) is None
        kept = ApiKey.objects.everywhere().get(pk=kept.pk)
        assert kept.state == ApiKey.State.ASLEEP


def test_its_use_is_noted_once_a_minute(
    issue: Issue, django_assert_num_queries: Callable[[int], Any]
) -> None:
    _, text = issue()
    with clock.use(clock.VirtualClock()) as virtual:
        start = clock.now()
        with django_assert_num_queries(2):
            ApiKey.verify(text)
        virtual.advance(timedelta(seconds=59))
        with django_assert_num_queries(1):
            ApiKey.verify(text)
        assert ApiKey.objects.everywhere().get().last_used_at == start
        virtual.advance(timedelta(seconds=1))
        with django_assert_num_queries(2):
            ApiKey.verify(text)
        assert ApiKey.objects.everywhere().get().last_used_at == clock.now()


def test_a_digest_is_compared_whether_or_not_the_prefix_exists(
    issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = issue()
    compared: list[tuple[str, str]] = []

    def same(given: str, expected: str) -> bool:
        compared.append((given, expected))
        return given == expected

    monkeypatch.setattr(signing, "same", same)
    for guess in (text[:-1] + "_", f"tally_{'0' * 12}_{'A' * 43}", "guess"):
        ApiKey.verify(guess)
    assert len(compared) == 3
    assert all(len(one) == len(other) == 64 for one, other in compared)


@pytest.mark.parametrize(
    "scopes", [[], ["everything"], ["read", "admin"], "read", None, [["read"]]]
)
def test_scopes_are_those_there_are(issue: Issue, scopes: object) -> None:
    with pytest.raises((ValidationError, TypeError)):
        issue(scopes=scopes)
    assert not ApiKey.objects.everywhere().exists()


def test_a_key_is_for_somebody_of_the_website(issue: Issue, theirs: Website) -> None:
    with pytest.raises(ValidationError, match="nothing to do with the website"):
        issue(website=theirs)
