"""`manage.py rotate_keys`, on the table of users."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import models
from pytest_django import Settings

from tallystick.kit.db import rotation
from tallystick.kit.encryption import WrongKey, new_key
from tallystick.people.models import User

pytestmark = pytest.mark.django_db

CANARY = "canary-4111"
KEY_1, KEY_2 = new_key(), new_key()


@pytest.fixture(autouse=True)
def _people(settings: Settings) -> None:
    settings.FIELD_KEYS = f"k1:{KEY_1}"
    for number in range(3):
        User.objects.create_user(f"person-{number}", allergies=CANARY, insurance_policy=CANARY)
    User.objects.create_user("without")


def rotate(*options: str) -> str:
    out = StringIO()
    call_command("rotate_keys", *options, stdout=out)
    assert CANARY not in out.getvalue()
    return out.getvalue()


def test_a_new_key_takes_over(settings: Settings) -> None:
    settings.FIELD_KEYS = f"k2:{KEY_2},k1:{KEY_1}"
    said = rotate("--batch-size=3")
    assert "The newest key is k2." in said
    assert "people.User: 3 rows read, 3 renewed" in said
    assert "people.User: 4 rows read, 3 renewed" in said
    assert "Every value is sealed with the newest key." in said
    settings.FIELD_KEYS = f"k2:{KEY_2}"
    assert [user.allergies for user in User.objects.order_by("pk")] == [CANARY] * 3 + [""]
    assert "people.User: 4 rows read, 0 renewed" in rotate()


def test_a_dry_run_only_counts(settings: Settings) -> None:
    settings.FIELD_KEYS = f"k2:{KEY_2},k1:{KEY_1}"
    assert "people.User: 4 rows read, 3 to renew" in rotate("--dry-run")
    settings.FIELD_KEYS = f"k2:{KEY_2}"
    with pytest.raises(WrongKey):
        _ = User.objects.get(username="person-0").allergies


def test_a_missing_key_is_one_clear_error(settings: Settings) -> None:
    settings.FIELD_KEYS = f"k2:{KEY_2}"
    with pytest.raises(CommandError) as caught:
        rotate()
    said = str(caught.value)
    assert said.startswith("Keep the old keys.\npeople.User: 3 rows cannot be read")
    assert "'k1', which the ring does not hold" in said
    assert "v1:" not in said


def test_rows_written_meanwhile_are_looked_at_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FIELD_KEYS = f"k2:{KEY_2},k1:{KEY_1}"
    replace, disturbed = rotation._replace, []

    def replace_late(row: models.Model, *seals: Any) -> bool:
        if row.pk not in disturbed:
            disturbed.append(row.pk)
            other = User.objects.get(pk=row.pk)
            other.allergies = "written meanwhile"
            other.save(update_fields=["allergies"])
        return replace(row, *seals)

    monkeypatch.setattr(rotation, "_replace", replace_late)
    assert "Every value is sealed" in rotate()
    settings.FIELD_KEYS = f"k2:{KEY_2}"
    seen = User.objects.exclude(username="without")
    assert {(user.allergies, user.insurance_policy) for user in seen} == {
        ("written meanwhile", CANARY)
    }


def test_a_writer_that_still_has_the_old_keys_is_reported(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FIELD_KEYS = f"k2:{KEY_2},k1:{KEY_1}"
    monkeypatch.setattr(rotation, "_replace", lambda *_: False)
    with pytest.raises(CommandError, match="3 rows keep being written with an old key"):
        rotate()
