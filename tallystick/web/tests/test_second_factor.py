"""The second factor: needed where it is on, tried in vain, used once."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from tallystick.kit.encryption import new_key
from tallystick.people.models import User
from tallystick.web import second_factor

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"
CODE = "/accounts/2fa/authenticate/"
SECRET = generate_totp_secret()


def right_code(secret: str = SECRET) -> str:
    _before, now, _after = yield_hotp_counters_from_time()
    return str(format_hotp_value(hotp_value(secret, now)))


def wrong_code() -> str:
    taken = {format_hotp_value(hotp_value(SECRET, n)) for n in yield_hotp_counters_from_time()}
    return next(code for code in ("000000", "000001", "000002", "000003") if code not in taken)


@pytest.fixture
def user(db: None) -> User:
    user = User.objects.create_superuser("ada", "ada@client.example", "right")
    TOTP.activate(user, SECRET)
    return user


@pytest.fixture
def half_in(client: Client, user: User) -> Client:
    """Signed in by password, and asked for the second factor."""
    answer = client.post(LOGIN, {"login": "ada", "password": "right"})
    assert answer["Location"].startswith(CODE)
    return client


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


class TestSigningIn:
    def test_the_password_alone_opens_nothing(self, half_in: Client) -> None:
        assert not is_in(half_in)
        assert half_in.get("/portal/").status_code == 302
        assert half_in.get("/admin/").status_code == 302

    def test_with_the_code(self, half_in: Client) -> None:
        half_in.post(CODE, {"code": right_code()})
        assert is_in(half_in)

    def test_not_with_a_wrong_one(self, half_in: Client) -> None:
        answer = half_in.post(CODE, {"code": wrong_code()})
        assert answer.status_code == 200
        assert not is_in(half_in)

    def test_a_code_works_once_whichever_process_is_asked(
        self, half_in: Client, user: User
    ) -> None:
        code = right_code()
        half_in.post(CODE, {"code": code})
        assert is_in(half_in)
        cache.clear()  # what one process remembers, another does not
        other = Client()
        other.post(LOGIN, {"login": "ada", "password": "right"})
        answer = other.post(CODE, {"code": f"{code[:3]} {code[3:]}"})
        assert "used already" in answer.content.decode()
        assert not is_in(other)

    def test_guessing_ends_after_ten(self, half_in: Client) -> None:
        for n in range(second_factor.CODES.times):
            half_in.post(CODE, {"code": wrong_code()}, REMOTE_ADDR=f"192.0.2.{n}")
        answer = half_in.post(CODE, {"code": right_code()}, REMOTE_ADDR="192.0.2.200")
        assert "Too many codes" in answer.content.decode()
        assert not is_in(half_in)

    def test_a_recovery_code_works_once(self, half_in: Client, user: User) -> None:
        codes = RecoveryCodes.activate(user).get_unused_codes()
        half_in.post(CODE, {"code": codes[0]})
        assert is_in(half_in)
        other = Client()
        other.post(LOGIN, {"login": "ada", "password": "right"})
        other.post(CODE, {"code": codes[0]})
        assert not is_in(other)
        other.post(CODE, {"code": codes[1]})
        assert is_in(other)

    def test_a_reset_password_does_not_go_around_it(self, client: Client, user: User) -> None:
        user.set_password("four plain words here")
        user.save()
        client.post(LOGIN, {"login": "ada", "password": "four plain words here"})
        assert not is_in(client)


class TestSettingItUp:
    def start(self, client: Client) -> str:
        User.objects.create_user("bob", "bob@client.example", "right")
        client.post(LOGIN, {"login": "bob", "password": "right"})
        page = "/accounts/2fa/totp/activate/"
        assert client.get(page)["Location"].startswith("/accounts/reauthenticate/")
        client.post("/accounts/reauthenticate/", {"password": "right"})
        text = client.get(page).content.decode()
        assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=|javascript:", text)
        found = re.search(r'<dd class="copy">([A-Z2-7]+)</dd>', text)
        assert found
        return found[1]

    def test_takes_a_code_and_gives_recovery_codes(self, client: Client) -> None:
        secret = self.start(client)
        answer = client.post(
            "/accounts/2fa/totp/activate/", {"code": right_code(secret)}, follow=True
        )
        text = answer.content.decode()
        assert len(re.findall(r"<li><code>\d{8}</code></li>", text)) == 10
        assert Authenticator.objects.filter(type="totp").exists()

    def test_its_secrets_are_sealed(self, client: Client) -> None:
        secret = self.start(client)
        client.post("/accounts/2fa/totp/activate/", {"code": right_code(secret)})
        kept = "".join(str(each.data) for each in Authenticator.objects.all())
        assert secret not in kept
        assert kept.count("v1:") == 2

    def test_a_new_key_takes_over(self, user: User, settings: Settings) -> None:
        old = settings.FIELD_KEYS
        new = f"k2:{new_key()}"
        settings.FIELD_KEYS = f"{new},{old}"
        call_command("rotate_keys", stdout=StringIO())
        settings.FIELD_KEYS = new
        kept = Authenticator.objects.get(user=user)
        assert second_factor.SecondFactorAdapter().decrypt(kept.data["secret"]) == SECRET

    def test_a_wrong_code_sets_up_nothing(self, client: Client) -> None:
        self.start(client)
        client.post("/accounts/2fa/totp/activate/", {"code": "abc"})
        assert not Authenticator.objects.exists()


class TestDemandedOfStaff:
    @pytest.fixture(autouse=True)
    def _demanded(self, settings: Settings) -> None:
        settings.STAFF_MFA_REQUIRED = True

    def test_staff_without_one_are_led_to_set_it_up(self, client: Client) -> None:
        User.objects.create_superuser("boss", password="right")
        client.post(LOGIN, {"login": "boss", "password": "right"})
        for page in ("/admin/", "/staff/invoices/", "/portal/"):
            assert client.get(page)["Location"].startswith("/accounts/2fa/totp/activate/")

    def test_a_session_that_never_showed_it_shows_it_first(
        self, client: Client, user: User
    ) -> None:
        client.force_login(user)
        assert client.get("/admin/")["Location"].startswith("/accounts/2fa/reauthenticate/")

    def test_with_it_they_go_on(self, half_in: Client) -> None:
        half_in.post(CODE, {"code": right_code()})
        assert half_in.get("/admin/").status_code == 200

    def test_it_cannot_be_switched_off(self, half_in: Client) -> None:
        half_in.post(CODE, {"code": right_code()})
        half_in.post("/accounts/2fa/totp/deactivate/")
        assert Authenticator.objects.filter(type="totp").exists()

    def test_clients_are_left_alone(self, client: Client) -> None:
        client.force_login(User.objects.create_user("bob"))
        assert client.get("/portal/").status_code == 200
