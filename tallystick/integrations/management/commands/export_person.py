"""`manage.py export_person`: all that is held of a person, in a file they can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tallystick.accounts.personal import NobodyFound, SeveralFound, Whom
from tallystick.integrations import erasure
from tallystick.kit.files import make_private


class Command(BaseCommand):
    help = (
        "Write all that is held of a person or an organisation as JSON: to the terminal, to a file, "
        "or, to a file that ends in .zip, with their documents as PDF. It is journalled."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("who", help="an e-mail address, or the uid of a user or an account")
        parser.add_argument("--out", type=Path, help="the file; must not exist yet")
        parser.add_argument("--no-documents", action="store_true", help="leave the PDFs out")

    def handle(self, *args: str, **options: Any) -> None:
        try:
            whom = Whom.find(options["who"])
        except (NobodyFound, SeveralFound) as error:
            raise CommandError(str(error)) from None
        out: Path | None = options["out"]
        if out is None:
            erasure.export(whom, self.stdout)  # type: ignore[arg-type] # it has a write()
            return
        try:
            rows = _written(whom, out, with_documents=not options["no_documents"])
        except FileExistsError:
            raise CommandError(f"{out} is there already.") from None
        self.stdout.write(f"{rows} rows written to {out}.")


def _written(whom: Whom, out: Path, *, with_documents: bool) -> int:
    make_private(out, anew=True)
    if out.suffix == ".zip":
        with out.open("wb") as file:
            return erasure.export_zip(whom, file, with_documents=with_documents)
    with out.open("w", encoding="utf-8") as text:
        return erasure.export(whom, text)
