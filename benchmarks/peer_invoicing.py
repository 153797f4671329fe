"""django-invoicing's invoices of three lines, as its documentation makes them. A process of its own:

    python -m benchmarks.peer_invoicing postgres://root@/bench

reads a number a line, makes so many invoices, and answers the seconds and the queries of one.
"""

from __future__ import annotations

import io
import sys
import time
from typing import Any

import environ


def main() -> None:
    answers, sys.stdout = sys.stdout, io.StringIO()  # it prints a line per invoice
    _set_up(sys.argv[1])
    _make()
    queries = _queries()
    for line in sys.stdin:
        began = time.perf_counter()
        for _ in range(int(line)):
            _make()
        print(time.perf_counter() - began, queries, file=answers, flush=True)


def _set_up(url: str) -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    database = environ.Env.db_url_config(url) | {
        "CONN_MAX_AGE": None,
        "OPTIONS": {"options": "-c search_path=peer"},
    }
    settings.configure(
        DATABASES={"default": database},
        SECRET_KEY="bench",
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=["django.contrib.contenttypes", "benchmarks.outputs", "invoicing"],
        MIGRATION_MODULES={"invoicing": None, "contenttypes": None},
        LANGUAGES=[("en", "English")],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        INVOICING_MANAGERS={},
        CURRENCIES=("EUR",),
    )
    django.setup()
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS peer CASCADE")
        cursor.execute("CREATE SCHEMA peer")
    call_command("migrate", run_syncdb=True, verbosity=0)


def _make() -> None:
    from django.db import transaction
    from invoicing.models import Invoice, Item

    with transaction.atomic():
        invoice = Invoice.objects.create(**_values())
        for price in (10, 20, 30):
            Item.objects.create(
                invoice=invoice, title="Work", quantity=1, unit_price=price, tax_rate=19
            )


def _values() -> dict[str, Any]:
    from datetime import date, timedelta

    from invoicing.models import Invoice

    today = date.today()  # noqa: DTZ011 - a column of dates
    return {
        "type": Invoice.TYPE.INVOICE,
        "status": Invoice.STATUS.NEW,
        "language": "en",
        "date_issue": today,
        "date_tax_point": today,
        "date_due": today + timedelta(days=14),
        "currency": "EUR",
        "payment_method": Invoice.PAYMENT_METHOD.BANK_TRANSFER,
        "bank_iban": "DE89370400440532013000",
        "supplier_name": "Shop",
        "supplier_country": "DE",
        "supplier_vat_id": "DE123456789",
        "customer_name": "Ada",
        "customer_country": "DE",
    }


def _queries() -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        _make()
    return len(queries)


if __name__ == "__main__":
    main()
