"""Signing in: who gets in, who is held up, and what the answers do not tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from tallystick.kit import clock
from tallystick.people.models import User
from tallystick.web import signin

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse

pytestmark = pytest.mark.django_db

PAGE = "/accounts/login/"
RESET = "/accounts/password/reset/"


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_superuser("ada", "ada@client.example", "right")


def tried(client: Client, name: str, password: str, address: str = "192.0.2.99") -> int:
    data = {"login": name, "password": password}
    return client.post(PAGE, data, REMOTE_ADDR=address).status_code


def letters() -> Iterator[str]:
    return (str(letter.body) for letter in mail.outbox)


def _bare(answer: _MonkeyPatchedWSGIResponse) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())


def link_in(text: str) -> str:
    found = re.search(r"https?://[^/\s]+(/\S+)", text)
    assert found
    return found[1]


class TestLimits:
    def test_an_address_tries_twenty_times_a_minute(self, client: Client, user: User) -> None:
        codes = [tried(client, f"name{n}", "x", "192.0.2.1") for n in range(22)]
        assert codes == [200] * 20 + [429] * 2
        assert tried(client, "ada", "right", "192.0.2.1") == 429
        assert tried(client, "ada", "right", "192.0.2.2") == 302

    def test_an_account_is_tried_twenty_times_from_wherever(
        self, client: Client, user: User
    ) -> None:
        spellings = ("ada", "ADA", " ada")
        codes = [tried(client, spellings[n % 3], "x", f"192.0.2.{n}") for n in range(22)]
        assert codes == [200] * 20 + [429] * 2

    def test_the_answer_says_when_to_try_again(self, client: Client, user: User) -> None:
        with clock.use(clock.VirtualClock(clock.now())) as now:
            for _ in range(20):
                tried(client, "ada", "x")
            answer = client.post(
                PAGE, {"login": "ada", "password": "right"}, REMOTE_ADDR="192.0.2.99"
            )
            assert (answer.status_code, answer["Retry-After"]) == (429, "60")
            assert "try again" in answer.content.decode()
            assert client.get(PAGE).status_code == 200
            now.sleep(60)
            assert tried(client, "ada", "right") == 302

    @pytest.mark.parametrize("page", [RESET, "/accounts/signup/"])
    def test_other_doors_count_too(self, client: Client, user: User, page: str) -> None:
        codes = [
            client.post(page, {"email": f"a{n}@x.example"}, REMOTE_ADDR="192.0.2.1").status_code
            for n in range(22)
        ]
        assert codes[20:] == [429] * 2
        assert tried(client, "ada", "right", "192.0.2.1") == 429

    def test_one_address_gets_five_letters_an_hour(self, client: Client, user: User) -> None:
        answers = [
            client.post(RESET, {"email": "ada@client.example"}, REMOTE_ADDR=f"192.0.2.{n}")
            for n in range(8)
        ]
        assert {answer.status_code for answer in answers} == {302}
        assert len(mail.outbox) == signin.RESETS.times


class TestSigningIn:
    @pytest.mark.parametrize("name", ["ada", "ADA", "ada@client.example", "Ada@Client.Example"])
    def test_by_name_or_by_address(self, client: Client, user: User, name: str) -> None:
        assert tried(client, name, "right") == 302
        assert client.get("/portal/").status_code == 200

    def test_leads_to_where_one_wanted_to_go(self, client: Client, user: User) -> None:
        data = {"login": "ada", "password": "right", "next": "/portal/wallet/"}
        assert client.post(PAGE, data)["Location"] == "/portal/wallet/"

    def test_and_nowhere_outside(self, client: Client, user: User) -> None:
        data = {"login": "ada", "password": "right", "next": "https://evil.example/"}
        assert client.post(PAGE, data)["Location"] == "/"

    def test_the_administration_has_the_same_door(self, client: Client, user: User) -> None:
        answer = client.get("/admin/")
        answer = client.get(answer["Location"])
        assert answer["Location"].startswith(PAGE)
        posted = client.post("/admin/login/", {"username": "ada", "password": "right"})
        assert posted["Location"].startswith(PAGE)
        assert "_auth_user_id" not in client.session

    def test_whoever_is_no_staff_stays_out_of_the_administration(self, client: Client) -> None:
        client.force_login(User.objects.create_user("bob"))
        assert client.get("/admin/login/").status_code == 403

    def test_who_was_put_in_by_staff_confirms_nothing(self, client: Client) -> None:
        User.objects.create_user("bob", "bob@client.example", "right")
        assert tried(client, "bob@client.example", "right") == 302
        assert mail.outbox == []
        assert "_auth_user_id" in client.session

    def test_pages_bring_nothing_inline(self, client: Client, user: User) -> None:
        for page in (PAGE, RESET, "/accounts/signup/", "/accounts/password/reset/done/"):
            text = client.get(page).content.decode()
            assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=|javascript:", text), page

    def test_an_idle_page_asks_the_database_nothing(
        self, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_max_num_queries(0):
            client.get(PAGE)


class TestResetting:
    def ask(self, client: Client, email: str) -> _MonkeyPatchedWSGIResponse:
        return client.post(RESET, {"email": email}, follow=True)

    def test_does_not_tell_who_is_known(self, client: Client, user: User) -> None:
        known = self.ask(client, "ada@client.example")
        unknown = self.ask(client, "nobody@client.example")
        assert known.redirect_chain == unknown.redirect_chain
        assert _bare(known) == _bare(unknown)
        assert len(mail.outbox) == 1

    def test_asks_the_same_of_the_database_before_it_answers(
        self, client: Client, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        monkeypatch.setattr("tallystick.web.afterwards._do", lambda waiting: waiting.clear())
        counts = []
        for email in ("ada@client.example", "nobody@client.example"):
            with CaptureQueriesContext(connection) as queries:
                client.post(RESET, {"email": email})
            counts.append([query["sql"].split(" ", 1)[0] for query in queries])
        assert counts[0] == counts[1]

    def test_gives_access_to_who_never_had_a_password(self, client: Client) -> None:
        user = User.objects.create_user("eve", "eve@client.example")
        self.ask(client, "eve@client.example")
        path = link_in(next(letters()))
        page = client.get(path, follow=True)
        choose = page.redirect_chain[-1][0]
        words = "four plain words here"
        client.post(choose, {"password1": words, "password2": words})
        user.refresh_from_db()
        assert user.check_password(words)
        assert tried(client, "eve", words) == 302

    def test_a_link_works_once(self, client: Client, user: User) -> None:
        self.ask(client, "ada@client.example")
        path = link_in(next(letters()))
        choose = client.get(path, follow=True).redirect_chain[-1][0]
        words = "four plain words here"
        client.post(choose, {"password1": words, "password2": words})
        again = Client().get(path, follow=True)
        assert "no longer works" in again.content.decode()

    def test_the_inactive_get_no_letter(self, client: Client) -> None:
        User.objects.create_user("eve", "eve@client.example", is_active=False)
        self.ask(client, "eve@client.example")
        assert mail.outbox == []

    def test_a_mail_server_that_is_gone_is_not_their_trouble(
        self, client: Client, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def gone(*_: object) -> None:
            raise OSError

        monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", gone)
        assert self.ask(client, "ada@client.example").status_code == 200


class TestSigningUp:
    DATA = {"email": "new@client.example", "password1": "four plain words here"}

    def test_is_closed(self, client: Client) -> None:
        answer = client.post("/accounts/signup/", self.DATA)
        assert "Nobody signs up here" in answer.content.decode()
        assert not User.objects.exists()

    def test_where_open_confirms_the_address_first(
        self, client: Client, settings: Settings
    ) -> None:
        settings.ACCOUNT_SIGNUP_OPEN = True
        client.post("/accounts/signup/", self.DATA)
        assert "_auth_user_id" not in client.session
        tried(client, "new@client.example", "four plain words here")
        assert "_auth_user_id" not in client.session
        path = link_in(next(letters()))
        client.post(path)
        assert EmailAddress.objects.get().verified
        assert tried(client, "new@client.example", "four plain words here") == 302
        assert "_auth_user_id" in client.session

    def test_does_not_tell_who_is_known(
        self, client: Client, user: User, settings: Settings
    ) -> None:
        settings.ACCOUNT_SIGNUP_OPEN = True
        fresh = client.post("/accounts/signup/", self.DATA, follow=True)
        taken = Client().post(
            "/accounts/signup/", self.DATA | {"email": "ada@client.example"}, follow=True
        )
        assert fresh.redirect_chain == taken.redirect_chain
        assert User.objects.filter(email="ada@client.example").count() == 1


class TestChangingTheAddress:
    def test_counts_once_it_is_confirmed(self, client: Client) -> None:
        user = User.objects.create_user("bob", "bob@old.example", "right")
        tried(client, "bob", "right")
        asked = client.post("/accounts/email/", {"email": "bob@new.example", "action_add": ""})
        again = {"password": "right", "next": "/accounts/email/"}
        assert asked["Location"].startswith("/accounts/reauthenticate/")
        client.post("/accounts/reauthenticate/", again)
        user.refresh_from_db()
        assert user.email == "bob@old.example"
        client.post(link_in(next(letters())))
        user.refresh_from_db()
        assert user.email == "bob@new.example"

    def test_somebody_elses_is_not_taken(self, client: Client, user: User) -> None:
        bob = User.objects.create_user("bob", "bob@old.example", "right")
        tried(client, "bob", "right")
        client.post("/accounts/reauthenticate/", {"password": "right"})
        client.post("/accounts/email/", {"email": "ADA@client.example", "action_add": ""})
        for text in letters():
            client.post(link_in(text))
        bob.refresh_from_db()
        assert bob.email == "bob@old.example"
