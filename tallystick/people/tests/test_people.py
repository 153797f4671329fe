from __future__ import annotations

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import translation

from tallystick.people.models import User

pytestmark = pytest.mark.django_db


def test_a_profile() -> None:
    ann = User.objects.create_user(
        "ann",
        "ann@example.org",
        first_name="Ann",
        last_name="Lee",
        phone_number="+44 20 7946 0000",
        date_of_birth=date(1990, 2, 1),
        nationality="DE",
    )
    ann.full_clean(exclude=["password"])
    assert ann.full_name == "Ann Lee"
    assert ann.nationality_name == "Germany"
    with translation.override("fr"):
        assert ann.nationality_name == "Allemagne"
    assert User().full_name == User().nationality_name == ""


def test_health_data_is_sealed() -> None:
    values = {name: f"canary {name}" for name in User.SENSITIVE_FIELDS}
    User.objects.create_user("ann", **values)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM people_user")
        (row,) = cursor.fetchall()
    assert "canary" not in str(row)
    assert str(row).count("v1:") == len(User.SENSITIVE_FIELDS)
    ann = User.objects.get()
    assert {name: getattr(ann, name) for name in User.SENSITIVE_FIELDS} == values
    assert "canary" not in repr(ann) + str(ann)


def test_an_email_address_names_one_user() -> None:
    User.objects.create_user("ann", "Ann@Example.org")
    again = User(username="other", email="ann@example.ORG", password="x")
    with pytest.raises(ValidationError, match="Another user has this e-mail address"):
        again.full_clean()
    with transaction.atomic(), pytest.raises(IntegrityError):
        again.save()
    User.objects.create_user("without")
    User.objects.create_user("without either")


def test_everybody_gets_a_referral_code() -> None:
    ann, bob = User.objects.create_user("ann"), User.objects.create_user("bob")
    assert len(ann.referral_code) == 10
    assert ann.referral_code != bob.referral_code
    bob.referral_code = ann.referral_code
    with pytest.raises(ValidationError, match="Another user has this referral code"):
        bob.validate_constraints()
    for person in (ann, bob):
        person.referral_code = ""
        person.save()


def test_a_referral_outlives_who_made_it() -> None:
    ann = User.objects.create_user("ann")
    bob = User.objects.create_user("bob", referred_by=ann)
    assert list(ann.referrals.all()) == [bob]
    ann.delete()
    bob.refresh_from_db()
    assert bob.referred_by is None


@pytest.mark.parametrize(
    ("field", "value"), [("nationality", "de"), ("nationality", "EU"), ("medical_sex", "other")]
)
def test_what_a_profile_holds_is_checked(field: str, value: str) -> None:
    person = User(username="ann", password="x")
    setattr(person, field, value)
    with pytest.raises(ValidationError) as caught:
        person.full_clean()
    assert set(caught.value.message_dict) == {field}
