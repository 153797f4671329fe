"""What counts as an edit, of whom, and what it is called outside."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.db import models
from django.test.utils import CaptureQueriesContext, isolate_apps

from tallystick.accounts.models import Account, Website
from tallystick.billing.models import Product, TaxRate, Wallet
from tallystick.integrations import marking, sync
from tallystick.integrations.checks import what_is_told_can_be_named
from tallystick.integrations.links import Link
from tallystick.integrations.panel import told_as
from tallystick.integrations.tests.ninja import NinjaSite
from tallystick.people.models import User
from tallystick.ports.records import Kind
from tallystick.queue.rows import State

pytestmark = pytest.mark.django_db


def state(kind: Kind = Kind.PRODUCT) -> str:
    return Link.objects.get(kind=kind.value).state


def of_sync(captured: CaptureQueriesContext) -> list[str]:
    statements = [query["sql"] for query in captured.captured_queries]
    return [said for said in statements if '"integrations_' in said]


@pytest.fixture
def rate(ninja: NinjaSite) -> TaxRate:
    return TaxRate.objects.create(
        website=ninja.website, code="vat", name="VAT", percent=Decimal(19)
    )


@pytest.fixture
def followed() -> Iterator[type[models.Model]]:
    """A model of a host's that its customers' records read from."""
    sync.follow(Wallet, told_as=Account, path="wallets")
    yield Wallet
    del sync._followers_of[Wallet]


class TestFollowing:
    @pytest.mark.usefixtures("followed")
    def test_what_is_made_changed_or_deleted_counts(self, ninja: NinjaSite) -> None:
        account = ninja.customer()
        ninja.serve()
        assert state(Kind.CUSTOMER) == State.DONE
        wallet = Wallet.objects.create(account=account, website=ninja.website, currency="EUR")
        assert state(Kind.CUSTOMER) == State.DUE
        for edit in (wallet.save, wallet.delete):
            ninja.serve()
            assert state(Kind.CUSTOMER) == State.DONE
            edit()
            assert state(Kind.CUSTOMER) == State.DUE

    @pytest.mark.usefixtures("followed")
    def test_the_panel_of_what_is_followed_shows_who_tells_of_it(self, ninja: NinjaSite) -> None:
        account = ninja.customer()
        wallet = Wallet.objects.create(account=account, website=ninja.website, currency="EUR")
        assert told_as(wallet) == [account]

    def test_a_tax_rate_is_part_of_its_products(self, ninja: NinjaSite, rate: TaxRate) -> None:
        product = ninja.product()
        product.tax_rate = rate
        product.save()
        ninja.serve()
        rate.percent = Decimal(7)
        rate.save()
        assert state() == State.DUE
        ninja.serve()
        assert ninja.row("products")["tax_rate1"] == 7

    def test_however_many_follow(
        self, ninja: NinjaSite, rate: TaxRate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(marking, "PAGE", 10)
        Product._base_manager.bulk_create(
            Product(
                website=ninja.website, name=f"p{n}", slug=f"p{n}", price=1, currency="EUR",
                tax_rate=rate,
            )
            for n in range(25)
        )  # fmt: skip
        with CaptureQueriesContext(database) as captured:
            rate.save()
        assert Link.objects.filter(kind="products", state=State.DUE).count() == 25
        assert len(captured) < 20


class TestCost:
    """At most two queries more, and however many connections there are."""

    def test_of_a_sign_up_and_of_a_save(self, ninja: NinjaSite) -> None:
        with CaptureQueriesContext(database) as captured:
            account = ninja.customer()
        assert len(of_sync(captured)) <= 2
        assert account.user
        account.user.last_name = "Berg"
        for obj in (account.user, account):
            with CaptureQueriesContext(database) as captured:
                obj.save()
            assert len(of_sync(captured)) == 2


class TestKin:
    """A signal's sender is the class that is saved."""

    @pytest.fixture(autouse=True)
    def apart(self) -> Iterator[None]:
        with isolate_apps("tallystick.billing", "tallystick.people"):
            yield

    def test_what_a_proxy_saves_or_deletes_counts(self, ninja: NinjaSite) -> None:
        class Offer(Product):
            class Meta:
                proxy = True
                app_label = "billing"

        ninja.product()
        ninja.serve()
        offer = Offer._base_manager.get()
        offer.price = Decimal(7)
        offer.save()
        assert state() == State.DUE
        ninja.serve()
        assert sync.mark_due([offer], [ninja.connection]) == 1
        assert told_as(offer) == [offer]
        assert offer.invoiceninja_sync_status == "pending"  # type: ignore[attr-defined] # attached
        ninja.serve()
        offer.delete()
        assert state() == State.DUE
        ninja.serve()
        assert ninja.row("products")["archived_at"]

    def test_a_proxy_of_what_is_followed_counts(self, ninja: NinjaSite) -> None:
        class Member(User):
            class Meta:
                proxy = True
                app_label = "people"

        ninja.customer()
        ninja.serve()
        member = Member.objects.get(username="anna")
        member.last_name = "Berg"
        member.save()
        assert state(Kind.CUSTOMER) == State.DUE

    def test_a_childs_save_is_one_of_its_parent(self, ninja: NinjaSite) -> None:
        class Course(Product):
            number = models.AutoField(primary_key=True)
            product = models.OneToOneField(Product, models.CASCADE, parent_link=True)

            class Meta:
                app_label = "billing"
                managed = False

        parent = ninja.product("Crown")
        ninja.serve()
        with database.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE billing_course (number integer PRIMARY KEY, product_id bigint)"
            )
            cursor.execute("INSERT INTO billing_course VALUES (77, %s)", [parent.pk])
        course = Course._base_manager.get()
        course.name = "Course"
        course.save()
        link = Link.objects.get(kind="products")
        assert (link.state, link.local_id) == (State.DUE, str(parent.pk))
        sync.mark_due([course], [ninja.connection])
        assert Link.objects.filter(kind="products").count() == 1


class TestMovingToAnotherWebsite:
    def test_with_what_it_follows(self, ninja: NinjaSite, elsewhere: Website) -> None:
        """Its own save was not heard of."""
        account = ninja.customer()
        ninja.serve()
        Account._base_manager.filter(pk=account.pk).update(website=elsewhere)
        assert account.user
        account.user.save()
        ninja.serve()
        assert ninja.row("clients")["archived_at"]

    @pytest.fixture
    def elsewhere(self, db: None) -> Website:
        return Website.objects.create(
            name="Elsewhere", domain="elsewhere.example", currency="EUR", country="DE"
        )

    def test_what_is_told_there_is_put_away(self, ninja: NinjaSite, elsewhere: Website) -> None:
        product = ninja.product()
        ninja.serve()
        product.website = elsewhere
        product.save()
        ninja.serve()
        assert ninja.row("products")["archived_at"]
        assert state() == State.DONE

    def test_and_brought_back_with_it(self, ninja: NinjaSite, elsewhere: Website) -> None:
        product, home = ninja.product(), ninja.website
        for website in (home, elsewhere, home):
            product.website = website
            product.save()
            ninja.serve()
        assert not ninja.row("products")["archived_at"]

    def test_what_never_got_there_does_not_go(self, ninja: NinjaSite, elsewhere: Website) -> None:
        product = ninja.product()
        product.website = elsewhere
        product.save()
        ninja.serve()
        assert ninja.count("products") == 0
        assert state() == State.DONE

    def test_further_saves_cost_no_call(self, ninja: NinjaSite, elsewhere: Website) -> None:
        product = ninja.product()
        ninja.serve()
        product.website = elsewhere
        product.save()
        ninja.serve()
        calls = len(ninja.stand.calls)
        product.save()
        ninja.serve()
        assert len(ninja.stand.calls) == calls


class TestUnregistered:
    def test_a_link_that_nothing_tells_of_is_dead_alone(self, ninja: NinjaSite) -> None:
        """A host took a model away: the rest goes on."""
        ninja.product()
        Link.objects.create(
            connection=ninja.connection, kind="products", model="gone.Model", local_id="1",
            key="x-1", touched=uuid.uuid4(), state=State.DUE,
        )  # fmt: skip
        ninja.serve()
        assert ninja.count("products") == 1
        link = Link.objects.get(model="gone.Model")
        assert link.state == State.DEAD
        assert "gone.Model" in link.last_error

    def test_its_model_is_named(self) -> None:
        with pytest.raises(sync.NotRegistered, match=r"gone\.Model"):
            sync.sync_of("gone.Model")


class TestKeys:
    @pytest.mark.parametrize(
        ("longest", "complaints"),
        [(64, []), (65, ["tallystick.E105"]), (None, ["tallystick.E105"])],
    )
    def test_a_primary_key_has_to_fit(
        self, longest: int | None, complaints: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with isolate_apps("tallystick.billing"):

            class Scan(models.Model):
                code = (
                    models.CharField(primary_key=True, max_length=longest)
                    if longest
                    else models.TextField(primary_key=True)
                )

                class Meta:
                    app_label = "billing"

                def __str__(self) -> str:
                    return self.code

        known: dict[Any, Any] = sync._registered
        monkeypatch.setitem(known, Scan, type(sync.sync_of("billing.Product"))(Scan))
        assert [found.id for found in what_is_told_can_be_named(None)] == complaints

    @pytest.mark.parametrize(
        ("label", "identity", "key"),
        [
            ("shop.Product", "5", "shop-product-5"),
            ("clinic.Scan", uuid.UUID(int=7), f"clinic-scan-{uuid.UUID(int=7).hex}"),
        ],
    )
    def test_as_they_are_where_they_fit(self, label: str, identity: Any, key: str) -> None:  # noqa: ANN401
        assert marking.key(label, identity) == key

    def test_no_two_are_one(self) -> None:
        long = "clinic_shop.AVeryLongModelNameForTreatmentsOfferedAtBranches"
        keys = [
            marking.key(label, identity)
            for label in (
                "shop.Product",
                "clinic.Product",
                "shop_product.X",
                "shop.Product_X",
                long,
            )
            for identity in ("5", "51", "ABC_1/ü", "abc-1", "ABC-1", uuid.UUID(int=5))
        ]
        assert len(set(keys)) == len(keys)
        assert all(re.fullmatch("[a-z0-9-]{1,50}", key) for key in keys)
