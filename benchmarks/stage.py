"""What the benchmarks of the engine share: a database of their own, a connected website, a sandbox."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallystick.integrations.connections import Connection
    from tallystick.sandbox.running import StandClient
    from tests.reliability.venues import Company, Venue


@contextmanager
def own_database(url: str = "") -> Iterator[str]:
    """Django set up on a new, migrated database beside the one that `url` or DATABASE_URL names; it
    is gone afterwards. SQLite, in a folder of its own, where none is named."""
    url = url or os.environ.get("DATABASE_URL", "")
    make = _on_postgres(url) if url.startswith("postgres") else _on_sqlite()
    with make as made:
        _set_up(made)
        try:
            yield made
        finally:
            _close()


@contextmanager
def _on_sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/bench.sqlite3"


@contextmanager
def _on_postgres(url: str) -> Iterator[str]:
    import psycopg
    from psycopg import sql

    name = f"bench_{os.getpid()}_{secrets.token_hex(2)}"
    # Not urlunsplit: it writes postgres:///name, which has no host, as postgres:/name.
    scheme, _, rest = url.partition("://")
    server_url = f"{scheme}://{rest.partition('/')[0]}"
    with psycopg.connect(f"{server_url}/postgres", autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield f"{server_url}/{name}"
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _set_up(url: str) -> None:
    os.environ.update(
        DATABASE_URL=url,
        SECRET_KEY="bench",
        FIELD_KEYS=f"bench:{'A' * 43}=",
        JOURNAL_KEY="bench",
        DEBUG="",
        LOG_LEVEL="ERROR",
        DJANGO_SETTINGS_MODULE="tests.settings",
    )
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)


def _close() -> None:
    from django.db import connections

    from tallystick.integrations import clients

    clients.forget()
    connections.close_all()


def chosen(provider: str) -> list[Venue]:
    """The venue of the provider of that type, or all of them. Raises `SystemExit` for another."""
    from tests.reliability.venues import venues

    found = [venue for venue in venues() if provider.upper() in {"", venue.provider.type}]
    if not found:
        known = ", ".join(venue.provider.type for venue in venues())
        raise SystemExit(f"No venue for {provider!r}; there are: {known}.")
    return found


@contextmanager
def hearing(venue: Venue, client: StandClient) -> Iterator[None]:
    """The site's own web server while it lasts, for the callbacks of a go-between."""
    from tests.reliability.kills import listening

    with listening(venue, client):
        yield


def lift_own_limits(venue: Venue) -> None:
    """As if the provider allowed any number of calls."""
    venue.provider.limits = ()


def connected(venue: Venue, company: Company, name: str = "lindenhof") -> Connection:
    """A website connected to the company."""
    from tests.reliability.site import connect, new_website

    return connect(venue, new_website(name), company)
