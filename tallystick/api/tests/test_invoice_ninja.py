"""What the service between this site and Invoice Ninja says, and what becomes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from tallystick.accounts.models import Account, Website
from tallystick.api.tests.ninja import Ninja, Service, failure, success
from tallystick.billing.models import Product
from tallystick.billing.tests import making
from tallystick.events.models import Event
from tallystick.integrations.invoice_ninja import settling
from tallystick.integrations.links import Link
from tallystick.kit.clock import VirtualClock
from tallystick.queue.rows import State

pytestmark = pytest.mark.django_db
KEYS = [
    *("user_id", "username", "email", "invoice_ninja_client_id", "sync_status"),
    *("sync_attempts", "last_sync_attempt", "is_synced"),
]
KINDS = ("link.confirmed", "link.failed", "link.retried", "links.retried")


@pytest.fixture
def ninja(ours: Website, now: VirtualClock) -> Ninja:
    return Ninja.at(ours)


@pytest.fixture(params=["secret", "signature"])
def service(request: pytest.FixtureRequest) -> Service:
    return Service(signs=request.param == "signature")


def rows() -> list[Any]:
    return list(Link.objects.order_by("pk").values())


def journal() -> int:
    return Event.objects.everywhere().filter(kind__in=KINDS).count()


class TestOne:
    def test_success(self, ninja: Ninja, service: Service) -> None:
        user = ninja.sent()
        told = service.post("client-created/", success(user, delivery_id="d-1"))
        assert told.status == 200
        assert list(told.body) == [*KEYS, "changed"]
        assert told.body | {"last_sync_attempt": None} == {
            "user_id": user.pk,
            "username": user.username,
            "email": user.email,
            "invoice_ninja_client_id": "VolejRejNm",
            "sync_status": "synced",
            "sync_attempts": 1,
            "last_sync_attempt": None,
            "is_synced": True,
            "changed": True,
        }
        assert told.body["last_sync_attempt"].endswith("Z")
        link = ninja.link(user)
        assert link.fingerprint == link.attempt_fingerprint
        (event,) = Event.objects.everywhere().filter(kind="link.confirmed")
        assert (event.actor_kind, event.website_id) == ("provider", ninja.website.pk)

    def test_of_a_user_who_is_gone_the_client_is_put_away(
        self, ninja: Ninja, service: Service
    ) -> None:
        user = ninja.sent()
        key = ninja.link(user).key
        body = success(user, delivery_id="d-1", key=key)
        Account.objects.everywhere().get(user=user).delete()
        user.delete()
        assert service.post("client-created/", body).status == 404
        link = Link.objects.get(key=key)
        assert (link.remote_id, link.state) == ("VolejRejNm", "due")

    def test_a_repeat_changes_nothing(self, ninja: Ninja, service: Service) -> None:
        user = ninja.sent()
        service.post("client-created/", success(user))
        before, events = rows(), journal()
        told = service.post("client-created", success(user))
        assert (told.status, told.body["changed"], told.body["sync_status"]) == (
            200,
            False,
            "synced",
        )
        assert (rows(), journal()) == (before, events)

    @pytest.mark.parametrize(("retry", "word"), [(True, "retry"), (False, "failed")])
    def test_failure(self, ninja: Ninja, service: Service, retry: bool, word: str) -> None:
        user = ninja.sent()
        body = failure(user, retry=retry, message="<b>Bad</b> ada@client.example\r\n")
        told = service.post("client-created/", body)
        assert (told.status, told.body["sync_status"], told.body["changed"]) == (200, word, True)
        assert ninja.link(user).last_error == "Bad [e-mail]"
        before, events = rows(), journal()
        assert service.post("client-created/", body).body["changed"] is False
        assert (rows(), journal()) == (before, events)
        journalled = Event.objects.everywhere().get(kind="link.failed").change
        assert "Bad" not in journalled

    def test_the_last_try_is_the_last(self, ninja: Ninja) -> None:
        user = ninja.sent()
        Link.objects.update(attempts=3)
        told = Service().post("client-created/", failure(user, retry=True))
        assert told.body["sync_status"] == "failed"

    def test_what_was_never_sent_can_be_told_of(self, ninja: Ninja) -> None:
        """By a workflow that makes clients of its own accord."""
        made, missed = ninja.user(), ninja.user()
        assert Service().post("client-created/", success(made)).body["sync_status"] == "synced"
        told = Service().post("client-created/", failure(missed, retry=True))
        assert told.body["sync_status"] == "retry"
        assert (
            Service().post("client-created/", failure(missed, retry=True)).body["changed"] is False
        )

    def test_who_is_older_than_the_connection(self, ours: Website, now: VirtualClock) -> None:
        user = making.account(ours).user
        assert user
        Ninja.at(ours)
        Link.objects.all().delete()
        assert Service().get(f"sync-status/{user.pk}").body["sync_status"] == "pending"
        assert Service().post("client-created/", success(user)).body["is_synced"]

    def test_late_success_after_giving_up(self, ninja: Ninja) -> None:
        user = ninja.sent()
        Link.objects.update(state=State.DEAD, attempts=3, last_error="No callback.")
        told = Service().post("client-created/", success(user, delivery_id="d-1"))
        assert (told.body["sync_status"], ninja.link(user).last_error) == ("synced", "")

    def test_late_failure_after_success(self, ninja: Ninja) -> None:
        user = ninja.sent()
        Service().post("client-created/", success(user))
        before, events = rows(), journal()
        told = Service().post("client-created/", failure(user, retry=False))
        assert (told.status, told.body["changed"], told.body["sync_status"]) == (
            200,
            False,
            "synced",
        )
        assert (rows(), journal()) == (before, events)

    @pytest.mark.parametrize("how", ["delivery", "time", "edit", "revival"])
    def test_late_failure_of_an_earlier_try(
        self, ninja: Ninja, now: VirtualClock, how: str
    ) -> None:
        user = ninja.sent()
        said: dict[str, Any] = {"delivery_id": "d-1"}
        if how == "time":
            said |= {"timestamp": now.now().isoformat()}
            now.advance(timedelta(hours=2))
            ninja.send(user)
        elif how == "delivery":
            ninja.send(user, "d-2")
        elif how == "edit":
            user.first_name = "Else"
            user.save()
        else:
            Link.objects.all().revive()
        before = rows()
        told = Service().post("client-created/", failure(user, retry=False, **said))
        assert (told.status, told.body["changed"]) == (200, False)
        assert rows() == before

    def test_success_of_an_earlier_try_while_a_later_one_is_awaited(self, ninja: Ninja) -> None:
        user = ninja.sent()
        user.first_name = "Else"
        user.save()
        ninja.send(user, "d-2")
        told = Service().post("client-created/", success(user, delivery_id="d-1"))
        assert (told.body["sync_status"], told.body["changed"]) == ("pending", True)
        assert told.body["invoice_ninja_client_id"] == "VolejRejNm"
        told = Service().post("client-created/", success(user, delivery_id="d-1"))
        assert told.body["changed"] is False
        told = Service().post("client-created/", failure(user, retry=False, delivery_id="d-2"))
        assert told.body["sync_status"] == "failed"
        told = Service().post("client-created/", success(user, delivery_id="d-2"))
        assert told.body["sync_status"] == "synced"

    def test_what_was_edited_since_stays_due(self, ninja: Ninja) -> None:
        user = ninja.sent()
        user.first_name = "Else"
        user.save()
        told = Service().post("client-created/", success(user, delivery_id="d-1"))
        assert (told.body["sync_status"], told.body["changed"]) == ("pending", True)
        assert ninja.link(user).state == State.DUE

    def test_a_repeat_after_an_edit_changes_nothing(self, ninja: Ninja) -> None:
        user = ninja.sent()
        Service().post("client-created/", success(user))
        user.first_name = "Else"
        user.save()
        before = rows()
        assert Service().post("client-created/", success(user)).body["sync_status"] == "pending"
        assert rows() == before

    def test_other_ids_change_nothing(self, ninja: Ninja, service: Service) -> None:
        anna, bert = ninja.sent(), ninja.sent()
        service.post("client-created/", success(anna, "one"))
        before, events = rows(), journal()
        for body in (success(anna, "two"), success(bert, "one")):
            told = service.post("client-created/", body)
            assert (told.status, told.code) == (409, "other_remote_id")
            assert told.pointers == ["/invoice_ninja_client_id"]
        assert (rows(), journal()) == (before, events)

    def test_another_key_is_refused(self, ninja: Ninja) -> None:
        user, other = ninja.sent(), ninja.sent()
        told = Service().post("client-created/", success(user, key=ninja.link(other).key))
        assert (told.status, told.pointers) == (400, ["/key"])
        told = Service().post("client-created/", success(user, key=ninja.link(user).key))
        assert told.status == 200

    @pytest.mark.parametrize("path", ["client-created/", "sync-status/{}/", "retry-sync/{}"])
    def test_who_is_not_there(self, ninja: Ninja, path: str, service: Service) -> None:
        for number in (999_999, 2**63 - 1, 2**63, 10**30, "x", "-1", "0"):
            where = path.format(number)
            if path.startswith("client"):
                told = service.post(where, {"django_user_id": number, "success": False})
                expected = 404 if number in (999_999, 2**63 - 1) else 400
            else:
                told = service.send("GET" if "status" in path else "POST", where, b"")
                expected = 404
            assert told.status == expected, number

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"invoice_ninja_client_id": None}, "invoice_ninja_client_id"),
            ({"invoice_ninja_client_id": ""}, "invoice_ninja_client_id"),
            ({"invoice_ninja_client_id": " "}, "invoice_ninja_client_id"),
            ({"invoice_ninja_client_id": "x" * 51}, "invoice_ninja_client_id"),
            ({"invoice_ninja_client_id": 7}, "invoice_ninja_client_id"),
            ({"invoice_ninja_client_id": "<b>"}, "invoice_ninja_client_id"),
            ({"invoice_ninja_client_id": "a\nb"}, "invoice_ninja_client_id"),
            ({"success": "yes"}, "success"),
            ({"success": 1}, "success"),
            ({"success": None}, "success"),
            ({"django_user_id": True}, "django_user_id"),
            ({"django_user_id": 1.5}, "django_user_id"),
            ({"django_user_id": None}, "django_user_id"),
            ({"django_user_id": [1]}, "django_user_id"),
            ({"message": {"a": 1}}, "message"),
            ({"message": [1]}, "message"),
            ({"message": True}, "message"),
            ({"message": "\0"}, "message"),
            ({"retry": "no"}, "retry"),
            ({"timestamp": "yesterday"}, "timestamp"),
            ({"timestamp": 5}, "timestamp"),
            ({"delivery_id": "x" * 121}, "delivery_id"),
            ({"key": "x" * 51}, "key"),
        ],
    )
    def test_bad_input_is_named(self, ninja: Ninja, change: dict[str, object], field: str) -> None:
        user = ninja.sent()
        before = rows()
        told = Service().post("client-created/", {**success(user), **change})
        assert (told.status, told.code, told.body["status"]) == (400, "invalid", 400)
        assert told.pointers == [f"/{field}"]
        assert all(fault["detail"] for fault in told.body["errors"])
        assert rows() == before

    def test_what_is_missing_is_named(self, ninja: Ninja) -> None:
        told = Service().post("client-created/", {})
        assert (told.status, told.pointers) == (400, ["/success", "/django_user_id"])

    def test_a_number_is_taken_where_a_text_is_free(self, ninja: Ninja) -> None:
        user = ninja.sent()
        result = {"django_user_id": user.pk, "success": False, "error": 422}
        told = Service().post("bulk-sync/", {"batch_id": 5, "results": [result]}).body
        assert (told["batch_id"], told["errors"][0]["error"]) == ("5", "422")
        body = success(user) | {"message": 5}
        assert Service().post("client-created/", body).body["is_synced"]

    def test_fifty_characters_and_numbers_as_text_are_taken(self, ninja: Ninja) -> None:
        user = ninja.sent()
        body = success(user, "x" * 50) | {"django_user_id": str(user.pk), "n8n": {"more": 1}}
        assert Service().post("client-created/", body).body["is_synced"]


class TestProducts:
    @pytest.fixture
    def product(self, ninja: Ninja) -> Product:
        return Product.objects.create(
            website=ninja.website, name="Crown", price="5", currency="EUR"
        )

    def test_by_id_by_key_and_by_both(self, product: Product, service: Service) -> None:
        key = Link.objects.get(kind="products").key
        body = {"success": True, "invoice_ninja_product_id": "abc"}
        told = service.post("product-created/", {**body, "django_product_id": product.pk})
        assert (told.status, told.body["sync_status"], told.body["changed"]) == (
            200,
            "synced",
            True,
        )
        for name in (
            {"key": key},
            {"key": key, "django_product_id": str(product.pk)},
            {"django_product_id": str(product.pk)},
        ):
            told = service.post("product-created/", {**body, **name})
            assert (told.status, told.body["changed"], told.body["key"]) == (200, False, key)
        other = {**body, "invoice_ninja_product_id": "xyz", "key": key}
        assert service.post("product-created", other).status == 409

    def test_failure_is_an_error(self, product: Product) -> None:
        body = {"django_product_id": product.pk, "success": False, "message": "No."}
        told = Service().post("product-created/", body)
        assert (told.body["sync_status"], told.body["is_synced"]) == ("error", False)

    def test_what_is_not_there_or_not_named(self, product: Product) -> None:
        body = {"success": True, "invoice_ninja_product_id": "abc"}
        assert Service().post("product-created/", body).pointers == ["/django_product_id"]
        for name in ({"django_product_id": 10**9}, {"key": "p-none"}, {"django_product_id": "x"}):
            assert Service().post("product-created/", {**body, **name}).status == 404
        mixed = {**body, "django_product_id": 10**9, "key": Link.objects.get(kind="products").key}
        assert Service().post("product-created/", mixed).status == 404
        told = Service().post("product-created/", {"success": True, "key": "p-1"})
        assert told.pointers == ["/invoice_ninja_product_id"]


class TestMany:
    def test_each_is_judged_by_itself(self, ninja: Ninja, service: Service) -> None:
        good, again, bad, taken = (ninja.sent() for _ in range(4))
        results = [
            success(good, "one"),
            failure(again, retry=True) | {"error": "Busy."},
            {"django_user_id": bad.pk, "success": False, "error": "No e-mail address."},
            success(taken, "one"),
            {"django_user_id": 999_999, "success": True, "invoice_ninja_client_id": "x"},
            {"django_user_id": taken.pk, "success": True},
            *("nonsense", None, {}, [1]),
            success(good, "one"),
            success(good, "other"),
        ]
        told = service.post("bulk-sync/", {"batch_id": "b-1", "results": results})
        body = told.body
        assert (told.status, body["batch_id"]) == (200, "b-1")
        counts = (body["processed_count"], body["success_count"], body["error_count"])
        assert counts == (12, 2, 10)
        assert [error["index"] for error in body["errors"]] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 11]
        assert body["errors"][1] == {
            "index": 1 + 1,
            "django_user_id": bad.pk,
            "field": "",
            "error": "No e-mail address.",
        }
        fields = [error["field"] for error in body["errors"]]
        assert fields[2:5] == [
            "invoice_ninja_client_id",
            "django_user_id",
            "invoice_ninja_client_id",
        ]
        words = {
            user.pk: Service().get(f"sync-status/{user.pk}/").body["sync_status"]
            for user in (good, again, bad, taken)
        }
        assert list(words.values()) == ["synced", "retry", "failed", "pending"]

    @pytest.mark.parametrize("results", [[], "x", {}, None, [{}] * 1001])
    def test_lists_are_bounded(self, ninja: Ninja, results: object) -> None:
        told = Service().post("bulk-sync/", {"batch_id": "b", "results": results})
        assert (told.status, told.pointers) == (400, ["/results"])
        assert Service().post("bulk-sync/", {"status": "failed"}).pointers == ["/results"]

    def test_what_is_told_twice_is_judged_by_what_came_of_the_first(
        self, ninja: Ninja, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(settling, "PAGE", 3)
        user, other, third = (ninja.sent() for _ in range(3))
        results = [
            failure(user, retry=False, message="Not yet"),
            success(user, "one"),
            success(other, "one"),
            success(user, "two"),
            success(third, "three"),
            failure(user, retry=False),
        ]
        told = Service().post("bulk-sync/", {"results": results})
        assert [error["index"] for error in told.body["errors"]] == [0, 2, 3, 5]
        assert [ninja.link(each).remote_id for each in (user, other, third)] == ["one", "", "three"]
        assert ninja.link(user).state == State.DONE

    @pytest.mark.parametrize("path", ["client-created/", "bulk-sync/"])
    def test_the_client_of_who_has_left_is_put_away(self, ninja: Ninja, path: str) -> None:
        user = ninja.sent()
        link = ninja.link(user)
        result = success(user, key=link.key, delivery_id="d-1")
        Account.objects.everywhere().get(user=user).delete()
        user.delete()
        Service().post(path, {"results": [result]} if path == "bulk-sync/" else result)
        link.refresh_from_db()
        assert (link.remote_id, link.state) == ("VolejRejNm", State.DUE)

    def test_a_repeat_changes_nothing(self, ninja: Ninja) -> None:
        body = {"results": [success(ninja.sent(), f"c{n}") for n in range(3)]}
        first = Service().post("bulk-sync", body)
        before, events = rows(), journal()
        assert Service().post("bulk-sync", body).body == first.body
        assert (rows(), journal()) == (before, events)


class TestReading:
    def test_pending_users_are_those_that_are_pending_or_retry(
        self, ninja: Ninja, service: Service
    ) -> None:
        waiting, again, failed, done = (ninja.sent() for _ in range(4))
        club = making.organisation(ninja.website)
        Account.open_for_organisation(club)
        service.post("client-created/", failure(again, retry=True))
        service.post("client-created/", failure(failed, retry=False))
        service.post("client-created/", success(done))
        body = service.get("pending-users/").body
        assert [row["user_id"] for row in body["results"]] == [again.pk, waiting.pk]
        assert [row["sync_status"] for row in body["results"]] == ["retry", "pending"]
        assert [list(row) for row in body["results"]] == [KEYS] * 2
        assert body["next"] is None
        assert "count" not in body
        counted = service.get("pending-users?count=true").body["count"]
        assert counted == {"value": 2, "is_exact": True}

    def test_pages(self, ninja: Ninja) -> None:
        users = [ninja.user().pk for _ in range(5)]
        seen, where = [], "pending-users/?limit=2"
        while where:
            body = Service().get(where.replace("http://testserver", "")).body
            seen.append([row["user_id"] for row in body["results"]])
            where = body["next"]
        assert seen == [users[:2:-1], users[2:0:-1], users[:1]]

    @pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=101", "cursor=x", "what=1"])
    def test_bad_queries_are_400(self, ninja: Ninja, query: str) -> None:
        told = Service().get(f"pending-users/?{query}")
        assert (told.status, told.body["status"]) == (400, 400)
        assert told.pointers == [query.split("=")[0]]

    def test_the_number_of_queries_is_flat(
        self, ninja: Ninja, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        ninja.user()
        with django_assert_num_queries(5):
            Service().get("pending-users/")
        for _ in range(30):
            ninja.user()
        with django_assert_num_queries(5):
            assert len(Service().get("pending-users/").body["results"]) == 31
        assert Link.objects.filter(kind="contacts").count() == 31

    def test_a_page_of_results_takes_the_same_queries_however_long_it_is(
        self, ninja: Ninja
    ) -> None:
        counts = []
        for many in (5, 30):
            results = [success(ninja.sent(), f"c{many}-{n}") for n in range(many)]
            results += [failure(ninja.sent(), retry=True) for _ in range(many)]
            with CaptureQueriesContext(database) as captured:
                told = Service().post("bulk-sync/", {"results": results})
            assert told.body["success_count"] == many
            counts.append(len(captured))
        assert counts[0] == counts[1]
        assert Link.objects.filter(state=State.DONE).count() == 35


class TestRetry:
    def test_it_is_due_now(self, ninja: Ninja, service: Service) -> None:
        user = ninja.sent()
        service.post("client-created/", failure(user, retry=False))
        told = service.send("POST", f"retry-sync/{user.pk}/", b"{}")
        assert (told.status, told.body["sync_status"]) == (200, "pending")
        assert list(told.body) == KEYS
        assert Link.objects.due().filter(attempts=0).count() == 1
        assert Event.objects.everywhere().filter(kind="link.retried").count() == 1

    def test_one_in_step_needs_force_and_force_forces(self, ninja: Ninja) -> None:
        user = ninja.sent()
        Service().post("client-created/", success(user))
        before = rows()
        for body in ({}, {"force": False}):
            told = Service().post(f"retry-sync/{user.pk}/", body)
            assert (told.status, told.code) == (409, "already_synced")
        assert rows() == before
        told = Service().post(f"retry-sync/{user.pk}", {"force": True})
        assert (told.status, told.body["sync_status"]) == (200, "pending")
        link = ninja.link(user)
        assert (link.fingerprint, link.attempt_key, link.remote_id) == ("", "", "VolejRejNm")

    @pytest.mark.parametrize("body", [{"force": "yes"}, {"force": 1}, {"forced": True}, [1], "x"])
    def test_bad_input(self, ninja: Ninja, body: object) -> None:
        user = ninja.sent()
        assert Service().post(f"retry-sync/{user.pk}/", body).status == 400
