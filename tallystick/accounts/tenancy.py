"""Tenancy: every row of a `TenantModel` belongs to a website, and a query must say whose it wants.

A query that names no website raises `NoTenant` when it is evaluated. It is named by

* `.of(website)`, or a condition on the model's own `website`, however it is written;
* `.visible_to(user)` or `.own(user)`;
* being the related manager of an instance: `account.invoices`;
* `.everywhere()`, said on purpose;
* running within `tenancy.everywhere()`, or being made within `tenancy.of(website)`.

Django's own work on rows at hand (saving, refreshing, cascades, forward keys) goes by the plain
base manager and is not asked. Nor is a query of another model that joins tenants' data: it sees what
that model's own condition lets through.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models import Q, sql
from django.db.models.expressions import Col
from django.db.models.lookups import Exact, In
from django.db.models.sql.where import AND, WhereNode
from django.utils.translation import gettext_lazy as _

from tallystick.accounts.standing import Person, standing_of
from tallystick.accounts.websites import Website

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models.sql.compiler import SQLCompiler

    from tallystick.people.models import User


class NoTenant(Exception):
    """A query of tenants' data does not say which website it is about."""


class _Everywhere(Enum):
    EVERYWHERE = "everywhere"


_ambient: ContextVar[Website | Literal[_Everywhere.EVERYWHERE] | None] = ContextVar(
    "tenancy", default=None
)


@contextmanager
def everywhere() -> Iterator[None]:
    """Within the block, queries evaluated without a website are about all of them."""
    token = _ambient.set(_Everywhere.EVERYWHERE)
    try:
        yield
    finally:
        _ambient.reset(token)


@contextmanager
def of(website: Website) -> Iterator[None]:
    """Within the block, queries made without a word on websites are about `website`."""
    token = _ambient.set(website)
    try:
        yield
    finally:
        _ambient.reset(token)


def current() -> Website | None:
    """The website that the surrounding `of` named."""
    ambient = _ambient.get()
    return ambient if isinstance(ambient, Website) else None


class TenantQuery(sql.Query):
    """A query that will not compile before it names a website."""

    # Not set for queries that Django makes itself, such as the inner one of an exclude(): they
    # stand inside another that is asked.
    guarded = False

    def get_compiler(self, *args: Any, **kwargs: Any) -> SQLCompiler:
        self.require_website()
        compiler: SQLCompiler = super().get_compiler(*args, **kwargs)
        return compiler

    def chain(self, klass: type[sql.Query] | None = None) -> sql.Query:
        if klass is not None:  # on its way to become an UPDATE, which is no longer ours
            self.require_website()
        return super().chain(klass)

    def require_website(self) -> None:
        if (
            self.guarded
            and _ambient.get() is not _Everywhere.EVERYWHERE
            and not self.names_website()
        ):
            raise NoTenant(
                f"A query of {self.get_meta().object_name} names no website: say .of(website), "
                ".visible_to(user), or .everywhere() on purpose."
            )

    def names_website(self) -> bool:
        return not self.guarded or self.is_empty() or self._demands_website(self.where)

    def _demands_website(self, node: WhereNode) -> bool:
        """Whether no row passes `node` but those of a website that it names."""
        if node.connector != AND or node.negated:
            return False
        return any(
            self._demands_website(child) if isinstance(child, WhereNode) else self._is_name(child)
            for child in node.children
        )

    def _is_name(self, condition: object) -> bool:
        if not isinstance(condition, Exact | In) or not isinstance(condition.lhs, Col):
            return False
        column, value = condition.lhs, condition.rhs
        table = next(iter(self.alias_map), None)
        if column.alias != table or column.target != self.get_meta().get_field("website"):
            return False
        if isinstance(value, Col):  # an outer query's row names it, a column of this query does not
            return value.alias not in self.alias_map
        return isinstance(value, sql.Query) or not getattr(
            value, "contains_column_references", False
        )


M = TypeVar("M", bound=models.Model, covariant=True)


class TenantQuerySet(models.QuerySet[M]):
    query: TenantQuery
    _starts_from_instance = False

    def __init__(
        self,
        model: type[models.Model] | None = None,
        query: sql.Query | None = None,
        using: str | None = None,
        hints: dict[str, models.Model] | None = None,
    ) -> None:
        if query is None and model is not None:
            query = TenantQuery(model)
            query.guarded = True
        super().__init__(model, query, using, hints)

    def of(self, website: Website | int | Collection[Website | int]) -> Self:
        """Those of `website`, or of several."""
        if isinstance(website, Website | int):
            return self.filter(website=website)
        return self.filter(website__in=website)

    def visible_to(self, user: Person) -> Self:
        """Everything for a superadmin, that of their websites for an admin, else what is their own.

        One of these, not a union, which no index serves: an admin finds what they themselves are
        billed, perhaps elsewhere, by `own`.
        """
        standing = standing_of(user)
        if standing.is_superadmin:
            return self.everywhere()
        return self.of(standing.admin_of) if standing.admin_of else self.own(user)

    def own(self, user: Person) -> Self:
        """What is the person's own affair, at whatever website: what a client may see."""
        if isinstance(user, AnonymousUser) or not user.is_active:
            return self.none()
        return self.filter(self._tenant_model().client_filter(user)).everywhere()

    def everywhere(self) -> Self:
        """Whatever the website."""
        free = self._chain()
        free.query.guarded = False
        return free

    def raw(self, *args: Any, **kwargs: Any) -> models.query.RawQuerySet[Any]:
        self.query.require_website()
        return super().raw(*args, **kwargs)

    def _tenant_model(self) -> type[TenantModel]:
        if not issubclass(self.model, TenantModel):
            raise ImproperlyConfigured(f"{self.model.__name__} is no TenantModel.")
        return self.model

    def _add_hints(self, **hints: Any) -> None:
        # So related managers and prefetches say which instance they start from. They go on with a
        # copy; the queryset that a Prefetch was given stays as closed as it was. From Django 6.1 on
        # they go on without one where they made the queryset themselves.
        super()._add_hints(**hints)  # type: ignore[misc] # not in the stubs
        self._starts_from_instance = hints.get("instance") is not None

    def _chain(self) -> Self:
        chained: Self = super()._chain()  # type: ignore[misc] # not in the stubs
        if self._starts_from_instance:
            chained.query.guarded = self._starts_from_instance = False
        return chained

    def delete(self) -> tuple[int, dict[str, int]]:
        # Asked before Django opens its transaction, which an error inside would break.
        self.query.require_website()
        return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined] # as Django marks its own
    delete.queryset_only = True  # type: ignore[attr-defined] # as above

    def _raw_delete(self, using: str | None) -> int:
        self.query.require_website()
        return super()._raw_delete(using)

    # A union is as wide as its wider half, an intersection as narrow as its narrower one.
    def __or__(self, other: models.QuerySet[Any]) -> Self:
        return _joined(super().__or__(other), named=_is_named(self) and _is_named(other))

    def __xor__(self, other: models.QuerySet[Any]) -> Self:
        return _joined(super().__xor__(other), named=_is_named(self) and _is_named(other))

    def __and__(self, other: models.QuerySet[Any]) -> Self:
        return _joined(super().__and__(other), named=_is_named(self) or _is_named(other))


def _is_named(queryset: models.QuerySet[Any]) -> bool:
    return isinstance(queryset.query, TenantQuery) and queryset.query.names_website()


Q_ = TypeVar("Q_", bound=models.QuerySet[Any])


def _joined(queryset: Q_, *, named: bool) -> Q_:
    if isinstance(queryset.query, TenantQuery):
        queryset.query.guarded = not named
    elif not named:  # of a slice Django makes a plain queryset, which would not ask
        raise NoTenant("Name the website before a slice is combined with another query.")
    return queryset


class TenantManager(models.Manager[M]):
    """The manager of a `TenantModel`; made for a queryset of its own by `from_queryset`."""

    _queryset_class: type[TenantQuerySet[Any]] = TenantQuerySet

    if TYPE_CHECKING:  # what the base class promises less of

        def all(self) -> TenantQuerySet[M]: ...
        def filter(self, *args: Any, **kwargs: Any) -> TenantQuerySet[M]: ...
        def exclude(self, *args: Any, **kwargs: Any) -> TenantQuerySet[M]: ...

    def get_queryset(self) -> TenantQuerySet[M]:
        queryset: TenantQuerySet[M] = super().get_queryset()  # type: ignore[assignment] # see above
        website = current()
        return queryset if website is None else queryset.of(website)

    def of(self, website: Website | int | Collection[Website | int]) -> TenantQuerySet[M]:
        return self.get_queryset().of(website)

    def visible_to(self, user: Person) -> TenantQuerySet[M]:
        return self.get_queryset().visible_to(user)

    def own(self, user: Person) -> TenantQuerySet[M]:
        return self.get_queryset().own(user)

    def everywhere(self) -> TenantQuerySet[M]:
        return self.get_queryset().everywhere()


class TenantModel(models.Model):
    """Belongs to a website."""

    website = models.ForeignKey(Website, models.PROTECT, verbose_name=_("website"))

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        abstract = True

    @classmethod
    def client_filter(cls, user: User) -> Q:
        """Which rows are a client's own, wherever; none unless a model says so."""
        return Q(pk__in=())

    # Whether a value is taken is a question about all websites.
    def validate_unique(self, exclude: Collection[str] | None = None) -> None:
        with everywhere():
            super().validate_unique(exclude)

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        with everywhere():
            super().validate_constraints(exclude)
