"""`retry_invoice_ninja_syncs` and `invoice_ninja_sync_report`."""

from __future__ import annotations

import csv
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.accounts.models import Account, Organisation
from tallystick.events.models import Event
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.integrations.tests.commanding import Ninja, direct, only_reading, relayed, run
from tallystick.kit.clock import VirtualClock
from tallystick.people.models import User
from tallystick.ports.records import Kind
from tallystick.ports.sandboxing import Fault, FaultKind
from tallystick.queue.rows import State

RETRY, REPORT = "retry_invoice_ninja_syncs", "invoice_ninja_sync_report"


@pytest.fixture
def ninja(db: None, now: VirtualClock) -> Iterator[Ninja]:
    with direct(now) as site:
        yield site


@pytest.fixture
def relay(db: None, now: VirtualClock) -> Iterator[Ninja]:
    with relayed(now) as site:
        yield site


def test_what_failed_is_due_again_and_the_rest_is_left_alone(ninja: Ninja) -> None:
    ninja.customer("well")
    ninja.serve()
    failed = refused(ninja)
    ran = run(RETRY)
    assert ran.status == 0
    assert "Ninja: 1 due now." in ran.out
    assert Event.objects.everywhere().filter(kind="link.retried").count() == 1
    states = {link.local_id: link.state for link in ninja.links(Kind.CUSTOMER)}
    assert states.pop(str(failed.pk)) == State.DUE
    assert set(states.values()) == {State.DONE}


def test_a_wait_between_two_tries_is_cut_short(ninja: Ninja) -> None:
    ninja.customer()
    fault = Fault(kind=FaultKind.STATUS, method="POST", path="/clients", times=1)
    ninja.stand.faults.switch_on(fault)
    ninja.serve()
    assert not Link.objects.due().exists()
    run(RETRY)
    assert Link.objects.due().count() == 1


def test_past_the_maximum_only_by_force(ninja: Ninja) -> None:
    refused(ninja)
    Link.objects.update(attempts=3)
    assert "0 due now" in run(RETRY).out
    assert "1 due now" in run(RETRY, "--force").out


def test_a_named_user_is_meant_whatever_the_state(ninja: Ninja) -> None:
    user = person(ninja.customer("anna"))
    other = ninja.customer("ben")
    ninja.serve()
    assert "0 due now" in run(RETRY, "--user-id", str(user.pk)).out
    assert "1 due now" in run(RETRY, "--user-id", str(user.pk), "--force").out
    assert Link.objects.get(local_id=str(other.pk)).state == State.DONE


def test_a_named_user_who_was_never_marked_is_marked(ninja: Ninja) -> None:
    user = person(ninja.customer())
    Link.objects.all().delete()
    planned = only_reading(RETRY, "--user-id", str(user.pk), "--dry-run").out
    assert f"would send user {user.pk} (never marked)" in planned
    assert "1 would be due now" in planned
    assert "1 due now" in run(RETRY, "--user-id", str(user.pk)).out
    assert ninja.link(Kind.CUSTOMER).state == State.DUE


def test_a_dry_run_names_them_and_writes_nothing(ninja: Ninja) -> None:
    account = refused(ninja)
    ran = only_reading(RETRY, "--dry-run")
    assert f"would retry user {person(account).pk} (tries: 1, last error: " in ran.out
    assert person(account).email not in ran.out
    assert "1 would be due now." in ran.out
    assert ninja.link(Kind.CUSTOMER).state == State.DEAD


def test_now_sends_them_here(ninja: Ninja) -> None:
    refused(ninja)
    assert run(RETRY, "--now").status == 0
    assert ninja.link(Kind.CUSTOMER).state == State.DONE


def test_now_tells_what_failed_again(ninja: Ninja) -> None:
    account = refused(ninja)
    refuse(ninja)
    ran = run(RETRY, "--now")
    assert ran.status == 1
    assert f"user {person(account).pk}: " in ran.error


def test_a_relay_that_said_no_is_asked_again(relay: Ninja) -> None:
    refused(relay, path="/webhook")
    assert "1 due now" in run(RETRY, "--now").out
    link = relay.link(Kind.CUSTOMER)
    assert (link.state, link.last_error) == (State.UNCERTAIN, "")


def test_unfinished_settings_are_told(ninja: Ninja) -> None:
    refused(ninja)
    ninja.connection.custom_data = {}
    ninja.connection.save()
    ran = run(RETRY)
    assert ran.status == 1
    assert "api_url" in ran.error


@pytest.mark.parametrize("user", ["999", "nobody", "9" * 25])
def test_an_unknown_user_is_a_wrong_option(ninja: Ninja, user: str) -> None:
    ran = run(RETRY, "--user-id", user)
    assert ran.status == 2
    assert f"no user {user}" in ran.error


@pytest.mark.parametrize("command", [RETRY, REPORT])
def test_without_a_connection_it_says_what_to_set(db: None, command: str) -> None:
    ran = run(command)
    assert ran.status == 2
    assert "INVOICE_NINJA_API_URL" in ran.error


def test_the_report_sums_up(ninja: Ninja) -> None:
    ninja.customer("well")
    ninja.serve()
    refused(ninja)
    ninja.customer("new")
    ninja.customer("old")
    Link.objects.filter(state=State.DUE).order_by("-pk")[0].delete()
    ran = only_reading(REPORT)
    assert ran.status == 1
    for words in ("pending: 1", "synced: 1", "failed: 1", "retry: 0", "never marked to be sent: 1"):
        assert f"  {words}\n" in ran.out
    assert "@" not in ran.out


def test_who_is_left_out_is_counted_by_themselves_with_the_reason(relay: Ninja) -> None:
    club = Organisation.objects.create(website=relay.website, name="Chess club")
    Account.open_for_organisation(club)
    User.objects.create_user("clerk", is_staff=True)
    relay.serve()
    ran = run(REPORT, "--include-details")
    assert ran.status == 0
    for words in ("pending: 0", "left out: 1", "without an account: 1"):
        assert f"  {words}\n" in ran.out
    assert "(an organisation's): left out, The relay takes people" in ran.out
    assert "(an organ" not in run(REPORT, "--include-details", "--status", "pending").out


def test_an_organisation_that_is_sent_is_no_user(ninja: Ninja) -> None:
    club = Organisation.objects.create(website=ninja.website, name="Chess club")
    Account.open_for_organisation(club)
    ninja.serve()
    said = run(REPORT, "--json").json()
    assert (said["totals"]["synced"], said["others"]["synced"], said["left_out"]) == (0, 1, 0)


def test_all_well_is_status_nought(ninja: Ninja) -> None:
    ninja.customer()
    ninja.serve()
    assert run(REPORT).status == 0


def test_details_and_a_status(ninja: Ninja) -> None:
    ninja.customer("well")
    ninja.serve()
    account = refused(ninja)
    ran = run(REPORT, "--status", "failed", "--include-details")
    (line,) = [line for line in ran.out.splitlines() if line.startswith("user ")]
    assert line.startswith(f"user {person(account).pk} ill <ill@example.org>: failed, client -")
    (row,) = run(REPORT, "--status", "synced", "--include-details", "--json").json()["users"]
    assert row["username"] == "well"
    assert row["invoice_ninja_client_id"]


def test_a_csv_holds_no_formula(ninja: Ninja, tmp_path: Path) -> None:
    ninja.customer("=1+1")
    ninja.serve()
    file = tmp_path / "report.csv"
    file.touch(mode=0o644)
    run(REPORT, "--export-csv", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with file.open(encoding="utf-8-sig", newline="") as opened:
        (row,) = csv.DictReader(opened)
    assert row["username"] == "'=1+1"
    assert row["sync_status"] == "synced"


def test_a_file_that_cannot_be_written_is_told(ninja: Ninja, tmp_path: Path) -> None:
    ran = run(REPORT, "--export-csv", str(tmp_path / "none" / "report.csv"))
    assert ran.status == 2
    assert "--export-csv" in ran.error


def test_a_connection_that_was_refused_is_told(ninja: Ninja) -> None:
    Connection.objects.everywhere().update(needs_reconnect=True, sync_error="Reconnect: no")
    ran = run(REPORT)
    assert ran.status == 1
    assert "Ninja (INVOICE_NINJA): Reconnect: no" in ran.out


def refused(site: Ninja, path: str = "/clients") -> Account:
    account = site.customer("ill")
    refuse(site, path)
    site.serve()
    return account


def refuse(site: Ninja, path: str = "/clients") -> None:
    fault = Fault(kind=FaultKind.STATUS, status=422, method="POST", path=path, times=1)
    site.stand.faults.switch_on(fault)


def person(account: Account) -> User:
    assert account.user
    return account.user
