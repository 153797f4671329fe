from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tallystick.events.models import Event
from tallystick.integrations.links import Link
from tallystick.integrations.tests.conftest import Site
from tallystick.kit.clock import VirtualClock
from tallystick.ports.records import Kind
from tallystick.queue.rows import State


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_sync_sends_what_is_due_and_says_so(site: Site) -> None:
    site.customer()
    said = run("sync", "xero")
    assert "1 done, 0 unchanged, 0 failed" in said
    assert site.link(Kind.CUSTOMER).state == State.DONE


def test_a_dry_run_sends_nothing(site: Site) -> None:
    account = site.customer()
    said = run("sync", "--dry-run")
    assert f"would create contacts {account.customer_key}" in said
    assert not site.stand.calls
    assert site.link(Kind.CUSTOMER).state == State.DUE


def test_all_marks_what_was_there_before(site: Site) -> None:
    site.product()
    Link.objects.all().delete()
    run("sync", "xero", "--all", "--only", "products")
    assert len(site.made("items")) == 1


def test_a_failure_is_an_exit_status_and_json_tells_which(site: Site) -> None:
    site.invoice(percent=13)
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("sync", "--json", stdout=out)
    (report,) = json.loads(out.getvalue())
    assert report["failed"] == 1


def test_without_a_connection_it_says_what_to_do(db: None) -> None:
    with pytest.raises(CommandError, match="XERO_") as error:
        run("sync")
    assert error.value.returncode == 2
    with pytest.raises(CommandError, match=r"set INVOICE_NINJA_API_URL\."):
        run("sync", "invoice_ninja")


@pytest.mark.parametrize("option", ["--all", "--missing", "--retry", "--force"])
def test_a_dry_run_is_not_asked_to_change_what_is_due(site: Site, option: str) -> None:
    site.customer()
    before = list(Link.objects.values())
    with pytest.raises(CommandError, match=option) as error:
        run("sync", "--dry-run", option)
    assert error.value.returncode == 2
    assert list(Link.objects.values()) == before


def test_a_dry_run_as_json_is_json(site: Site) -> None:
    site.customer()
    (report,) = json.loads(run("sync", "--dry-run", "--json"))
    assert report["create"] == 1


def test_a_retry_is_in_the_journal(site: Site) -> None:
    site.customer()
    Link.objects.update(state=State.DEAD, last_error="No.")
    run("sync", "--retry")
    (event,) = Event.objects.everywhere().filter(kind="link.retried")
    assert event.subject_id == str(site.link(Kind.CUSTOMER).pk)


def test_force_sends_again_what_is_in_step(site: Site) -> None:
    site.customer()
    run("sync")
    before = len(site.stand.calls)
    run("sync", "--force")
    assert [c.method for c in list(site.stand.calls)[before:] if c.method == "POST"]


def test_fetch_invoice_updates_keeps_to_its_limit(site: Site, now: VirtualClock) -> None:
    account = site.customer()
    for _ in range(3):
        site.invoice(account)
    site.serve()
    Link.objects.filter(kind=Kind.INVOICE.value).update(
        update_needed=True, update_marked_at=now.now()
    )
    said = run("fetch_invoice_updates", "--limit", "2")
    assert "1 invoices still to fetch." in said


def test_the_webhook_address_is_printed() -> None:
    assert run("webhook_url", "xero").endswith("/api/integrations/xero/webhook\n")
