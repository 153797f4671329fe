from __future__ import annotations

import pytest
from django.test import Client

from tallystick.kit import clock
from tallystick.people.models import User

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.parametrize("page", ["/accounts/login/", "/admin/login/"]),
]


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_superuser("ada", "ada@client.example", "right")


def tried(client: Client, page: str, name: str, password: str, address: str) -> int:
    data = {"username": name, "password": password}
    return client.post(page, data, REMOTE_ADDR=address).status_code


def test_an_address_tries_twenty_times_a_minute(client: Client, user: User, page: str) -> None:
    codes = [tried(client, page, f"name{n}", "x", "192.0.2.1") for n in range(22)]
    assert codes == [200] * 20 + [429] * 2
    assert tried(client, page, "ada", "right", "192.0.2.1") == 429
    assert tried(client, page, "ada", "right", "192.0.2.2") == 302


def test_an_account_is_tried_twenty_times_from_wherever(
    client: Client, user: User, page: str
) -> None:
    spellings = ("ada", "ADA", " ada")
    codes = [tried(client, page, spellings[n % 3], "x", f"192.0.2.{n}") for n in range(22)]
    assert codes == [200] * 20 + [429] * 2


def test_the_answer_says_when_to_try_again(client: Client, user: User, page: str) -> None:
    with clock.use(clock.VirtualClock(clock.now())) as now:
        for _ in range(20):
            tried(client, page, "ada", "x", "127.0.0.1")
        answer = client.post(page, {"username": "ada", "password": "right"})
        assert (answer.status_code, answer["Retry-After"]) == (429, "60")
        assert "try again" in answer.content.decode()
        assert client.get(page).status_code == 200
        now.sleep(60)
        assert tried(client, page, "ada", "right", "127.0.0.1") == 302


def test_both_pages_count_together(client: Client, user: User, page: str) -> None:
    other = {"/accounts/login/": "/admin/login/", "/admin/login/": "/accounts/login/"}[page]
    for _ in range(20):
        tried(client, other, "ada", "x", "127.0.0.1")
    assert tried(client, page, "ada", "right", "127.0.0.1") == 429
