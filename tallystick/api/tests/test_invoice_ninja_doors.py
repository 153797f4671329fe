"""Who may call the API beside Invoice Ninja: the service by its secret, staff, and nobody else."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tallystick.accounts.apikeys import Scope
from tallystick.accounts.models import Account, Website
from tallystick.api.invoice_ninja import finding, urls
from tallystick.api.resources import methods_of
from tallystick.api.tests.desk import Caller, Desk, Told, anybody
from tallystick.api.tests.ninja import ROOT, SECRET, Ninja, Service, success
from tallystick.billing.tests import making
from tallystick.integrations.connections import Connection
from tallystick.integrations.invoice_ninja import routes
from tallystick.integrations.links import Link
from tallystick.kit import clock, standard_webhooks
from tallystick.kit.clock import VirtualClock
from tallystick.people.models import User

pytestmark = pytest.mark.django_db
READ, SYNC = Scope.READ, Scope.INTEGRATIONS

# Address and method: whether staff may, and the scope of a key.
MATRIX: dict[tuple[str, str], tuple[bool, Scope]] = {
    ("client-created", "POST"): (False, SYNC),
    ("product-created", "POST"): (False, SYNC),
    ("sync-status/{user}", "GET"): (True, READ),
    ("pending-users", "GET"): (True, READ),
    ("retry-sync/{user}", "POST"): (True, SYNC),
    ("bulk-sync", "POST"): (True, SYNC),
}


@pytest.fixture
def ninja(ours: Website, now: VirtualClock) -> Ninja:
    return Ninja.at(ours)


@pytest.fixture
def user(ninja: Ninja) -> User:
    return ninja.sent()


@pytest.fixture
def admin(ninja: Ninja) -> User:
    return making.staff(ninja.website)


def ask(caller: Caller | Service, route: tuple[str, str], user: User, slash: str = "/") -> Told:
    path, method = route
    body: object = {"status": "failed"} if path == "bulk-sync" else {}
    where = f"{ROOT}/{path.format(user=user.pk)}{slash}"
    return caller.send(method, where, b"" if method == "GET" else body)


def rows() -> list[Any]:
    return list(Link.objects.order_by("pk").values())


def test_every_route_has_its_row() -> None:
    found = set()
    for pattern in urls.resources:
        view: Any = pattern.callback
        path = str(pattern.pattern).replace("<str:user_id>", "{user}").rstrip("/")
        found |= {(path, method) for method in methods_of(view.view_class)}
    assert found == set(MATRIX)
    assert len(urls.resources) == 2 * len(MATRIX), "each with and without a slash"


@pytest.mark.parametrize("slash", ["/", ""])
@pytest.mark.parametrize("route", MATRIX, ids=" ".join)
def test_roles(route: tuple[str, str], slash: str, ninja: Ninja, user: User, admin: User) -> None:
    is_for_staff, scope = MATRIX[route]
    desk = Desk.at(ninja.website)
    allowed = 200 if is_for_staff else 403
    for caller in (desk.as_admin(), desk.as_superadmin(), desk.as_key(scope)):
        assert ask(caller, route, user, slash).status == allowed
    told = ask(desk.as_key(*[each for each in Scope if each != scope]), route, user, slash)
    assert (told.status, told.code) == (403, "scope_missing")
    for caller in (desk.as_client(), desk.as_key(user=desk.client_user), Caller(making.user())):
        assert ask(caller, route, user, slash).status == 403
    assert ask(anybody(), route, user, slash).code == "secret_refused"
    assert ask(Service(), route, user, slash).status in (200, 400)
    assert ask(Caller(key="tally_x"), route, user, slash).status == 401


@pytest.mark.parametrize("route", MATRIX, ids=" ".join)
def test_without_a_secret_it_is_403_always(
    route: tuple[str, str], ninja: Ninja, user: User
) -> None:
    before = rows()
    wrong = [ask(Service(secret), route, user) for secret in ("", "x", SECRET[:-1], f"{SECRET}x")]
    wrong.append(ask(Service("wrong", signs=True), route, user))
    ninja.configure("")
    unset = [ask(Service(secret), route, user) for secret in ("", SECRET)]
    unset.append(ask(Service(SECRET, signs=True), route, user))
    unset.append(Service("").send(route[1], "bulk-sync", b"{}", X_Webhook_Secret=""))
    Connection.objects.everywhere().update(is_active=False)
    unset += [ask(Service(secret), route, user) for secret in ("", SECRET)]
    Connection.objects.everywhere().delete() if not before else None
    bodies = {str(told.body | {"instance": ""}) for told in wrong + unset}
    assert {told.status for told in wrong + unset} == {403}
    assert len(bodies) == 1
    assert rows() == before


def test_a_connection_that_is_off_or_of_another_kind_opens_nothing(
    ninja: Ninja, user: User
) -> None:
    ninja.connection.is_active = False
    ninja.connection.save()
    assert Service().get("pending-users/").status == 403
    Connection.objects.everywhere().filter(pk=ninja.connection.pk).update(
        is_active=True, custom_data={"webhook_url": 5}
    )
    assert Service().get("pending-users/").status == 403


@pytest.mark.parametrize("signs", [False, True])
def test_rotation(ninja: Ninja, user: User, signs: bool) -> None:
    old, new = Service(signs=signs), Service("relay-secret-two", signs=signs)
    body = success(user)
    assert new.post("client-created/", body).status == 403
    ninja.configure(f"{new.secret}, {old.secret}")
    assert old.post("client-created/", body).body["changed"] is True
    assert new.post("client-created/", body).body["changed"] is False
    ninja.configure(new.secret)
    assert old.post("client-created/", body).status == 403
    assert new.post("client-created/", body).status == 200


def test_the_signature_counts_where_the_secret_is_not_known_yet(ninja: Ninja, user: User) -> None:
    body = b"{}"
    signed = standard_webhooks.headers(["newest", SECRET], "d", at=clock.now(), body=body)
    told = Service("newest").send("POST", "client-created/", body, **signed)
    assert told.status == 400, "let in, and found wanting"


def test_a_signature_is_of_these_bytes_at_this_time(
    ninja: Ninja, user: User, now: VirtualClock
) -> None:
    body = b'{"django_user_id": %d, "success": false}' % user.pk
    signed = standard_webhooks.headers([SECRET], "d", at=now.now(), body=body)
    before = rows()

    def sent(data: bytes = body, /, **changes: str) -> int:
        return Service("").send("POST", "client-created", data, **{**signed, **changes}).status

    assert sent(body[:-1] + b" }") == 403
    assert sent(body, **{"webhook-id": "e"}) == 403
    assert sent(body, **{"webhook-timestamp": str(int(signed["webhook-timestamp"]) + 1)}) == 403
    assert sent(body, **{"webhook-timestamp": "9" * 30}) == 403
    assert sent(body, **{"webhook-signature": ""}) == 403
    assert sent(body, **{"webhook-signature": "\xff v1,\xe4"}) == 403
    now.advance(timedelta(seconds=301))
    assert sent() == 403
    assert rows() == before
    now.advance(timedelta(seconds=-301))
    assert sent() == 200


class TestTenants:
    @pytest.fixture
    def theirs(self, ninja: Ninja) -> Ninja:
        return Ninja.at(making.website(), "relay-secret-theirs")

    def test_of_another_website_nothing_is_there(self, ninja: Ninja, theirs: Ninja) -> None:
        mine, other = ninja.sent(), theirs.sent()
        before = rows()
        for caller in (Service(), Caller(making.staff(ninja.website))):
            for route in (("sync-status/{user}", "GET"), ("retry-sync/{user}", "POST")):
                told, missing = ask(caller, route, other), ask(caller, route, User(pk=999_999))
                assert (told.status, told.body["detail"]) == (404, missing.body["detail"])
            listed = caller.send("GET", f"{ROOT}/pending-users/", b"").body["results"]
            assert [row["user_id"] for row in listed] == [mine.pk]
        assert Service().post("client-created/", success(other)).status == 404
        told = Service().post("bulk-sync/", {"results": [success(other)]})
        assert (told.body["success_count"], told.body["error_count"]) == (0, 1)
        staff = Caller(making.staff(ninja.website))
        told = staff.post(f"{ROOT}/bulk-sync/", {"user_ids": [other.pk]})
        assert (told.body["success_count"], told.body["error_count"]) == (0, 1)
        assert rows() == before

    def test_the_same_id_at_two_websites_is_no_conflict(self, ninja: Ninja, theirs: Ninja) -> None:
        assert Service().post("client-created/", success(ninja.sent(), "one")).status == 200
        other = Service(theirs.connection.credentials["webhook_secret"])
        assert other.post("client-created/", success(theirs.sent(), "one")).status == 200

    def test_who_has_moved_is_gone(self, ninja: Ninja, theirs: Ninja) -> None:
        user = ninja.sent()
        account = Account.objects.everywhere().get(user=user)
        account.website = theirs.website
        account.save()
        assert Service().get(f"sync-status/{user.pk}").status == 404
        assert Service().get("pending-users").body["results"] == []
        assert Service().post("client-created/", success(user)).status == 404

    def test_one_secret_for_two_websites_is_for_both(self, ninja: Ninja, theirs: Ninja) -> None:
        theirs.configure(SECRET)
        for user in (ninja.sent(), theirs.sent()):
            assert Service().post("client-created/", success(user, "one")).status == 200

    def test_a_superadmins_key_is_confined(self, ninja: Ninja, theirs: Ninja) -> None:
        key = Desk.at(ninja.website).as_key(user=making.user(is_superuser=True))
        user = theirs.sent()
        assert key.get(f"{ROOT}/sync-status/{user.pk}/").status == 404


class TestStaff:
    def test_a_session_needs_the_sites_token(self, ninja: Ninja, user: User, admin: User) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(admin)
        before = rows()
        for path in (f"retry-sync/{user.pk}/", "bulk-sync/"):
            told = browser.post(f"{ROOT}/{path}", {"user_ids": [user.pk]}, "application/json")
            assert told.status_code == 403
        assert rows() == before

    def test_bulk_by_ids_and_by_status(self, ninja: Ninja, admin: User) -> None:
        failed, done, pending = (ninja.sent() for _ in range(3))
        no = {"django_user_id": failed.pk, "success": False}
        Service().post("client-created/", no)
        Service().post("client-created/", success(done))
        caller = Caller(admin)

        def bulk(**body: object) -> tuple[int, int, int]:
            told = caller.post(f"{ROOT}/bulk-sync/", body).body
            return told["processed_count"], told["success_count"], told["error_count"]

        assert bulk(status="failed") == (1, 1, 0)
        assert bulk(status="failed") == (0, 0, 0)
        assert bulk(user_ids=[pending.pk, done.pk, 999_999, pending.pk]) == (3, 1, 2)
        assert bulk(status="synced", force=True) == (1, 1, 0)
        assert ninja.link(done).fingerprint == ""
        assert Link.objects.due().filter(kind="contacts", attempts=0).count() == 3

    def test_of_each_that_is_not_made_due_bulk_says_why(self, ninja: Ninja, admin: User) -> None:
        done = ninja.sent()
        Service().post("client-created/", success(done))
        told = Caller(admin).post(f"{ROOT}/bulk-sync/", {"user_ids": [done.pk, 999_999]})
        reasons = [error["error"].split(";")[0] for error in told.body["errors"]]
        assert reasons == ["Already synced", finding.NO_USER]

    def test_who_has_no_account_is_pending_to_those_who_may_see_them(
        self, ninja: Ninja, admin: User
    ) -> None:
        stranger = making.user(is_staff=True)
        path = f"{ROOT}/sync-status/{admin.pk}/"
        told = Caller(admin).get(path)
        assert (told.status, told.body["sync_status"]) == (200, "pending")
        assert (told.body["invoice_ninja_client_id"], told.body["sync_attempts"]) == (None, 0)
        assert Service().get(path).status == 404
        other = f"{ROOT}/sync-status/{stranger.pk}/"
        assert Caller(admin).get(other).status == 404
        assert Caller(making.user(is_superuser=True)).get(other).status == 200

    def test_bulk_makes_due_who_is_older_than_the_connection(
        self, ninja: Ninja, admin: User
    ) -> None:
        user = ninja.user()
        Link.objects.all().delete()
        told = Caller(admin).post(f"{ROOT}/bulk-sync/", {"user_ids": [user.pk]})
        assert (told.body["success_count"], Link.objects.due().count()) == (1, 1)

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "user_ids"),
            ({"user_ids": [1], "status": "failed"}, "user_ids"),
            ({"user_ids": []}, "user_ids"),
            ({"user_ids": ["x"]}, "user_ids/0"),
            ({"user_ids": [1] * 1001}, "user_ids"),
            ({"status": "error"}, "status"),
            ({"status": "synced"}, "force"),
            ({"status": "\ud800"}, "status"),
            ({"status": 1}, "status"),
            ({"results": []}, "results"),
            ({"user_ids": [1], "force": "x"}, "force"),
        ],
    )
    def test_bad_input(
        self, ninja: Ninja, admin: User, body: dict[str, object], field: str
    ) -> None:
        told = Caller(admin).post(f"{ROOT}/bulk-sync/", body)
        assert (told.status, told.pointers) == (400, [f"/{field}"])

    def test_the_direct_route_too(self, ninja: Ninja, user: User, admin: User) -> None:
        Connection.objects.everywhere().filter(pk=ninja.connection.pk).update(type=routes.DIRECT)
        assert Caller(admin).get(f"{ROOT}/sync-status/{user.pk}/").status == 200
        assert Service().get(f"sync-status/{user.pk}/").status == 403


class TestLimits:
    def test_calls_are_limited_by_connection_and_address(
        self, ninja: Ninja, settings: Settings, now: VirtualClock
    ) -> None:
        settings.INVOICE_NINJA_CALLBACKS_PER_MINUTE = 2
        told = Service().get("pending-users/")
        assert told.response["RateLimit"] == '"requests";r=1;t=60'
        assert [Service(signs=True).get("pending-users/").status for _ in range(2)] == [200, 429]
        told = Service().get("pending-users/")
        assert (told.code, told.response["Retry-After"]) == ("throttled", "60")
        assert Service(address="192.0.2.9").get("pending-users/").status == 200
        now.advance(timedelta(seconds=61))
        assert Service().get("pending-users/").status == 200

    @pytest.mark.parametrize("signs", [False, True])
    def test_guesses_are_limited_by_themselves(
        self, ninja: Ninja, now: VirtualClock, signs: bool
    ) -> None:
        guesser = Service("wrong", signs=signs)
        said = [guesser.post("client-created/").status for _ in range(25)]
        assert said == [403] * 20 + [429] * 5
        # Else a guess that hits would be known by its answer.
        told = replace(guesser, secret=SECRET).post("client-created/")
        assert (told.status, told.response["Retry-After"]) == (429, "60")
        assert Service(address="192.0.2.9").post("client-created/").status == 400
        now.advance(timedelta(seconds=61))
        assert Service().post("client-created/").status == 400

    def test_who_says_nothing_is_limited_too(self, ninja: Ninja, settings: Settings) -> None:
        settings.API_PUBLIC_REQUESTS_PER_MINUTE = 3
        said = [Service("").post("client-created/").status for _ in range(5)]
        assert said == [403, 403, 403, 429, 429]


def test_nothing_of_a_secret_or_a_person_is_logged(
    ninja: Ninja, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    no = {"django_user_id": user.pk, "success": False, "message": f"{user.email} {SECRET}"}
    Service().post("client-created/", no)
    Service("guessed-wrong").post("client-created/", no)
    Service().post("client-created/", success(user, "x" * 51))
    Service().post("bulk-sync/", {"results": [no]})
    for word in (SECRET, "guessed-wrong", user.email, user.username):
        assert word not in caplog.text


@pytest.mark.parametrize("path", ["", "nothing", "client-created/x/", "sync-status/1/2"])
def test_what_is_not_there(ninja: Ninja, path: str) -> None:
    told = Service().get(path)
    assert (told.status, told.code) == (404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_what_is_not_done_here(ninja: Ninja, method: str) -> None:
    told = Service().send(method, "client-created/", {})
    assert (told.status, told.code) == (405, "method_not_allowed")
