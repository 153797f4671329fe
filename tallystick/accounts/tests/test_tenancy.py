"""A query of tenants' data that names no website is refused, on every way to evaluate it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404

from tallystick.accounts import tenancy
from tallystick.accounts.organisations import Organisation
from tallystick.accounts.tenancy import NoTenant, TenantQuerySet
from tallystick.accounts.websites import Website
from tallystick.kit.tests import loops

pytestmark = pytest.mark.django_db

Rows = TenantQuerySet[Organisation]


@pytest.fixture(autouse=True)
def _rows(ours: Website, theirs: Website) -> None:
    for website in (ours, theirs):
        for name in ("a", "b"):
            Organisation.objects.create(website=website, name=name, email=f"{name}@x.example")


WAYS: dict[str, Callable[[Rows], Any]] = {
    "iteration": list,
    "len": len,
    "bool": bool,
    "repr": repr,
    "index": lambda rows: rows[0],
    "slice": lambda rows: list(rows[:1]),
    "step": lambda rows: rows[:2:1],
    "count": lambda rows: rows.count(),
    "exists": lambda rows: rows.exists(),
    "get": lambda rows: rows.get(name="a"),
    "first": lambda rows: rows.first(),
    "last": lambda rows: rows.last(),
    "earliest": lambda rows: rows.earliest("pk"),
    "latest": lambda rows: rows.latest("pk"),
    "in_bulk": lambda rows: rows.in_bulk([1]),
    "in_bulk of all": lambda rows: rows.in_bulk(),
    "contains": lambda rows: rows.contains(Organisation(pk=1)),
    "aggregate": lambda rows: rows.aggregate(Count("pk")),
    "aggregate over a slice": lambda rows: rows[:1].aggregate(Count("pk")),
    "annotate": lambda rows: list(rows.annotate(n=Count("members"))),
    "values": lambda rows: list(rows.values("name")),
    "values_list": lambda rows: list(rows.values_list("name", flat=True)),
    "distinct": lambda rows: list(rows.distinct()),
    "iterator": lambda rows: list(rows.iterator()),
    "update": lambda rows: rows.update(email=""),
    "delete": lambda rows: rows.delete(),
    "raw delete": lambda rows: rows._raw_delete("default"),
    "get_or_create": lambda rows: rows.get_or_create(name="a"),
    "update_or_create": lambda rows: rows.update_or_create(name="a"),
    "bulk_update": lambda rows: rows.bulk_update([Organisation(pk=1)], ["name"]),
    "select_for_update": lambda rows: list(rows.select_for_update()),
    "select_related": lambda rows: list(rows.select_related("website")),
    "only": lambda rows: list(rows.only("name")),
    "reverse": lambda rows: list(rows.reverse()),
    "union": lambda rows: list(rows.union(rows)),
    "union with a named one": lambda rows: list(rows.of(1).union(rows)),
    "or": lambda rows: list(rows.of(1) | rows),
    "or, the other way round": lambda rows: list(rows | rows.of(1)),
    "xor": lambda rows: list(rows.of(1) ^ rows),
    "or with a slice": lambda rows: list(rows.of(1)[:1] | rows),
    "explain": lambda rows: rows.explain(),
    "raw": lambda rows: list(rows.raw("SELECT * FROM accounts_organisation")),
    "subquery": lambda rows: list(Website.objects.filter(pk__in=rows.values("website"))),
    "exists subquery": lambda rows: list(Website.objects.filter(Exists(rows))),
    "scalar subquery": lambda rows: list(
        Website.objects.annotate(n=Subquery(rows.values("name")[:1]))
    ),
    "exclude": lambda rows: list(rows.exclude(members=None)),
    "pickle": pickle.dumps,
    "paginator": lambda rows: list(Paginator(rows.order_by("pk"), 1).page(1)),
    "get_object_or_404": lambda rows: get_object_or_404(rows, name="a"),
    "count, asynchronously": lambda rows: loops.run(rows.acount()),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_without_a_website_nothing_is_evaluated(way: Callable[[Rows], Any]) -> None:
    with transaction.atomic(), pytest.raises(NoTenant, match=r"Organisation names no website|Name"):
        way(Organisation.objects.all())
    assert Organisation.objects.everywhere().exclude(email="").count() == 4


NOT_NAMES: dict[str, Callable[[Website], Any]] = {
    "another column": lambda website: Organisation.objects.filter(name="a"),
    "an excluded website": lambda website: Organisation.objects.exclude(website=website),
    "a negated one": lambda website: Organisation.objects.filter(~Q(website=website)),
    "one of two conditions": lambda website: Organisation.objects.filter(
        Q(website=website) | Q(name="a")
    ),
    "a comparison": lambda website: Organisation.objects.filter(website__gt=0),
    "some website": lambda website: Organisation.objects.filter(website__isnull=False),
    "its own website": lambda website: Organisation.objects.filter(website=F("website")),
    "its own website, disguised": lambda website: Organisation.objects.filter(
        website=Coalesce(F("website"), 1)
    ),
    "a related website": lambda website: Organisation.objects.filter(account__website=website),
    "the website's columns": lambda website: Organisation.objects.filter(website__name="Ours"),
    "nothing": lambda website: Organisation.objects.filter(website=None),
}


@pytest.mark.parametrize("query", NOT_NAMES.values(), ids=NOT_NAMES)
def test_what_does_not_name_a_website(query: Callable[[Website], Rows], ours: Website) -> None:
    with pytest.raises(NoTenant):
        list(query(ours))


NAMES: dict[str, Callable[[Website], QuerySet[Organisation]]] = {
    "of": lambda website: Organisation.objects.of(website),
    "of an id": lambda website: Organisation.objects.of(website.pk),
    "of several": lambda website: Organisation.objects.of([website]),
    "website": lambda website: Organisation.objects.filter(website=website),
    "website_id": lambda website: Organisation.objects.filter(website_id=website.pk),
    "website__pk": lambda website: Organisation.objects.filter(website__pk=website.pk),
    "website__in": lambda website: Organisation.objects.filter(website__in=[website]),
    "website__in of a query": lambda website: Organisation.objects.filter(
        website__in=Website.objects.filter(pk=website.pk)
    ),
    "Q": lambda website: Organisation.objects.filter(Q(website=website) & Q(name__in="ab")),
    "later": lambda website: Organisation.objects.order_by("pk").all().filter(website=website),
    "a narrowed union": lambda website: (
        Organisation.objects.filter(name="a") | Organisation.objects.filter(name="b")
    ).of(website),
    "and": lambda website: (
        Organisation.objects.filter(name__in="ab") & Organisation.objects.of(website)
    ),
    "or": lambda website: (
        Organisation.objects.of(website).filter(name="a")
        | Organisation.objects.of(website).filter(name="b")
    ),
    "union": lambda website: (
        Organisation.objects.of(website)
        .filter(name="a")
        .order_by()
        .union(Organisation.objects.of(website).filter(name="b").order_by())
    ),
    "the related manager": lambda website: website.organisation_set.all(),
    "a join to many": lambda website: Organisation.objects.of(website).exclude(members__pk=0),
    "a pickled one": lambda website: pickle.loads(  # noqa: S301 - our own
        pickle.dumps(Organisation.objects.of(website))
    ),
}


@pytest.mark.parametrize("query", NAMES.values(), ids=NAMES)
def test_what_names_a_website(
    query: Callable[[Website], QuerySet[Organisation]], ours: Website
) -> None:
    rows = list(query(ours))
    assert len(rows) == 2
    assert {row.website_id for row in rows} == {ours.pk}


def test_an_outer_row_names_the_website_of_an_inner_query() -> None:
    inner = Organisation.objects.filter(website=OuterRef("pk"), name="a")
    assert Website.objects.filter(Exists(inner)).count() == 2
    outside = Organisation.objects.filter(name=OuterRef("name"))
    with pytest.raises(NoTenant):
        Website.objects.filter(Exists(outside)).exists()


def test_none_is_nobodys() -> None:
    assert list(Organisation.objects.none()) == []
    assert not Organisation.objects.filter(name="a").none().exists()


def test_everywhere_is_said_on_purpose(ours: Website) -> None:
    assert Organisation.objects.everywhere().count() == 4
    assert Organisation.objects.of(ours).everywhere().count() == 2
    with tenancy.everywhere():
        assert Organisation.objects.filter(name="a").count() == 2
    with pytest.raises(NoTenant):
        Organisation.objects.count()


def test_within_of_queries_are_about_that_website(ours: Website, theirs: Website) -> None:
    with tenancy.of(ours):
        assert tenancy.current() == ours
        made_inside = Organisation.objects.filter(name="a")
        assert {row.website_id for row in Organisation.objects.all()} == {ours.pk}
        assert not Organisation.objects.of(theirs).exists()
        with tenancy.of(theirs):
            assert {row.website_id for row in Organisation.objects.all()} == {theirs.pk}
        with tenancy.everywhere():
            assert tenancy.current() is None
            assert Organisation.objects.count() == 4
        assert tenancy.current() == ours
    assert made_inside.get().website == ours
    assert tenancy.current() is None


def test_the_surroundings_reach_asynchronous_code(ours: Website) -> None:
    async def count() -> tuple[str, str]:
        with tenancy.of(ours):
            inside = str(Organisation.objects.all().query)
        try:
            return inside, str(Organisation.objects.all().query)
        except NoTenant:
            return inside, "refused"

    inside, outside = loops.run(count())
    assert "website_id" in inside
    assert outside == "refused"


def test_writes_stay_within_the_website(ours: Website, theirs: Website) -> None:
    assert Organisation.objects.of(ours).update(email="") == 2
    assert Organisation.objects.of(theirs).exclude(email="").count() == 2
    rows = list(Organisation.objects.everywhere().order_by("pk"))
    for row in rows:
        row.name = "new"
    assert Organisation.objects.of(ours).bulk_update(rows, ["name"]) == 2
    assert Organisation.objects.of(ours).filter(name="a").delete()[0] == 0
    assert Organisation.objects.of(ours).delete()[0] == 2
    assert Organisation.objects.of(theirs).filter(name__in="ab").count() == 2


def test_getting_or_creating_with_a_website(ours: Website) -> None:
    assert not Organisation.objects.get_or_create(website=ours, name="a")[1]
    assert Organisation.objects.update_or_create(website=ours, name="c")[1]
    Organisation.objects.bulk_create([Organisation(website=ours, name="d")])
    assert Organisation.objects.of(ours).count() == 4
