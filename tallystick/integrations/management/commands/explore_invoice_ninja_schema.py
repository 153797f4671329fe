from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError

from tallystick.integrations.clients import client_of
from tallystick.integrations.connections import BadCredentials, Connection
from tallystick.integrations.invoice_ninja import asked, exploring, routes
from tallystick.integrations.invoice_ninja.commands import NinjaCommand
from tallystick.kit.json import plain
from tallystick.ports.errors import ProviderError, Refused, Unauthorized
from tallystick.providers.invoiceninja import InvoiceNinja
from tallystick.providers.invoiceninja.looking import ENTITIES, NEEDED


class Command(NinjaCommand):
    help = (
        "Read Invoice Ninja and print the shape of what is there: field, type, example, and what a "
        "create needs. Nothing is written there. Exit status 1 when something is to be set up."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("entity", nargs="*", help=f"{', '.join(ENTITIES)}; all if left out")
        parser.add_argument(
            "--show-values",
            action="store_true",
            help="show also examples that may be somebody's or secret",
        )
        parser.add_argument("--connection", type=int, help="the number of one connection")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        unknown = [name for name in options["entity"] if name not in ENTITIES]
        if unknown:
            words = f"{', '.join(unknown)}: not looked at; there are {', '.join(ENTITIES)}."
            raise CommandError(words, returncode=asked.WRONG)
        (connection, *others) = asked.connections(options["connection"], types=(routes.DIRECT,))
        if others:
            raise CommandError(
                "There are several connections; say with --connection which is meant: "
                + ", ".join(f"{one.pk} ({one.name})" for one in (connection, *others)),
                returncode=asked.WRONG,
            )
        report = self._explored(connection, options)
        if options["as_json"]:
            self.stdout.write(json.dumps(report, indent=2, default=plain))
        else:
            self._tell(report)
        if report["to_set_up"] or any("problem" in found for found in report["entities"].values()):
            raise CommandError(
                "Something is to be set up or not readable; see above.", returncode=1
            )

    def _explored(self, connection: Connection, options: dict[str, Any]) -> dict[str, Any]:
        try:
            client = client_of(connection)
            assert isinstance(client, InvoiceNinja)  # noqa: S101 - its type says so
            to_set_up = exploring.mislabelled(client.custom_fields())
            entities = {
                name: _entity(client, name, shows_values=options["show_values"])
                for name in options["entity"] or ENTITIES
            }
        except (BadCredentials, ProviderError) as error:
            raise CommandError(f"{connection.name}: {error}", returncode=1) from None
        return {"connection": connection.name, "to_set_up": to_set_up, "entities": entities}

    def _tell(self, report: dict[str, Any]) -> None:
        for name, found in report["entities"].items():
            needs = ", ".join(found["needs"]) or "nothing"
            self.stdout.write(f"{name} (a create needs: {needs})")
            if "problem" in found:
                self.stdout.write(f"    {found['problem']}")
            elif not found["fields"]:
                self.stdout.write("    there are none")
            for field in found.get("fields", ()):
                self.stdout.write(f"    {field['name']}: {field['type']}, {field['example']!r}")
        for words in report["to_set_up"]:
            self.stdout.write(words)
        if not report["to_set_up"]:
            self.stdout.write("The four custom fields of clients are labelled as they are to be.")


def _entity(client: InvoiceNinja, name: str, *, shows_values: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"needs": list(NEEDED.get(name, ()))}
    try:
        fields = exploring.shape(client.peek(name), shows_values=shows_values)
    except Unauthorized:
        raise
    except Refused as error:  # this one alone: a module that is off, a right that is lacking
        return {**found, "problem": str(error)}
    return {**found, "fields": [asdict(field) for field in fields]}
