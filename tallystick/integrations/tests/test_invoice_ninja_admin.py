from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tallystick.accounts.models import Account, Organisation, Website
from tallystick.billing.models import Product
from tallystick.events.models import Event
from tallystick.integrations.connections import Connection
from tallystick.integrations.links import Link
from tallystick.integrations.logs import SyncLog
from tallystick.integrations.tests.test_admin import admin_of
from tallystick.kit import clock
from tallystick.people.models import User
from tallystick.ports.records import Kind
from tallystick.queue.rows import State

USERS = reverse("admin:people_user_changelist")
PRODUCTS = reverse("admin:billing_product_changelist")
LINKS = reverse("admin:integrations_link_changelist")
MARKUP = "<script>alert(1)</script>"


def relay(website: Website, **changes: Any) -> Connection:
    return Connection.objects.create(
        website=website,
        type="INVOICE_NINJA_RELAY",
        **{
            "name": f"Relay of {website.name}",
            "custom_data": {"webhook_url": "https://n8n.example/webhook"},
            **changes,
        },
    )


@pytest.fixture
def ours(db: None) -> Website:
    website = Website.objects.create(
        name="Lindenhof", domain="lindenhof.example", currency="EUR", country="DE", is_default=True
    )
    relay(website)
    return website


@pytest.fixture
def theirs(ours: Website) -> Website:
    website = Website.objects.create(name="Harbour", domain="harbour.example", currency="GBP")
    relay(website)
    return website


@pytest.fixture
def staff(ours: Website) -> Client:
    return admin_of(ours, "berlin")


def person(website: Website, name: str = "anna") -> User:
    user = User.objects.create_user(name, f"{name}@example.org", first_name=name.title())
    account = Account.open_for_user(user, website)
    if account.website_id != website.pk:
        Link.objects.filter(local_id=str(account.pk)).delete()
        account.website = website
        account.save()
    return user


def product(website: Website, name: str = "Crown") -> Product:
    return Product.objects.create(
        website=website, name=name, price=Decimal("190.00"), currency="EUR"
    )


def link_of(obj: User | Product | Account) -> Link:
    told = Account.objects.everywhere().get(user=obj) if isinstance(obj, User) else obj
    return Link.objects.get(model=told._meta.label, local_id=str(told.pk))


def put(obj: User | Product, **values: Any) -> Link:
    """The link of `obj`, in the state that `values` say."""
    link = link_of(obj)
    Link.objects.filter(pk=link.pk).update(**values)
    return link


IN_STEP: dict[str, Any] = {"state": State.DONE, "attempts": 1}
GIVEN_UP: dict[str, Any] = {"state": State.DEAD, "attempts": 3, "last_error": "It is down."}
AGAIN: dict[str, Any] = {"state": State.DUE, "attempts": 1, "last_error": "It is down."}


def shown(client: Client, url: str, **query: str) -> list[str]:
    answer = client.get(url, query)
    assert answer.status_code == 200, answer
    return sorted(str(row) for row in answer.context["cl"].result_list)


def act(client: Client, url: str, action: str, *rows: Any) -> str:
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    answer = client.post(url, data, follow=True)
    return " ".join(str(message) for message in answer.context["messages"])


# -- users


@pytest.fixture
def people(ours: Website) -> dict[str, User]:
    """One in each state."""
    found = {word: person(ours, word) for word in ("pending", "synced", "failed", "retry")}
    put(found["synced"], remote_id="Wpmbk5ezJn", attempted_at=clock.now(), **IN_STEP)
    put(found["failed"], **GIVEN_UP)
    put(found["retry"], **AGAIN)
    return found


@pytest.mark.parametrize("word", ["pending", "synced", "failed", "retry"])
def test_users_are_filtered_by_status(people: dict[str, User], staff: Client, word: str) -> None:
    found = shown(staff, USERS, invoiceninja_sync_status=word)
    assert [name for name in found if name != "berlin"] == [word]


def test_who_has_no_link_is_pending(people: dict[str, User], staff: Client) -> None:
    link_of(people["pending"]).delete()
    assert "pending" in shown(staff, USERS, invoiceninja_sync_status="pending")


def test_who_is_left_out_is_not_pending_and_told_why(
    people: dict[str, User], staff: Client
) -> None:
    put(people["synced"], state=State.DONE, remote_id="", last_error="It is not a person.")
    assert "synced" not in shown(staff, USERS, invoiceninja_sync_status="pending")
    assert shown(staff, USERS, invoiceninja_sync_status="left_out") == ["synced"]
    page = staff.get(USERS, {"invoiceninja_sync_status": "left_out"}).content.decode()
    assert 'title="It is not a person.">left out</span>' in page
    assert len(shown(staff, LINKS, sync_status="left_out")) == 1


def test_how_they_stand_comes_right_behind_who_they_are(
    people: dict[str, User], staff: Client
) -> None:
    columns = ["username", "full_name", "email", "invoiceninja_sync_status"]
    assert staff.get(USERS).context["cl"].list_display[1:5] == columns
    columns = ["name", "invoiceninja_sync_status", "invoiceninja_product_id"]
    assert staff.get(PRODUCTS).context["cl"].list_display[1:4] == columns


def test_users_are_found_by_their_client_id(people: dict[str, User], staff: Client) -> None:
    assert shown(staff, USERS, q="Wpmbk5ezJn") == ["synced"]
    assert shown(staff, USERS, q="Wpmbk") == []
    assert shown(staff, USERS, q="failed@example.org") == ["failed"]


def test_a_users_page_shows_the_four_fields(people: dict[str, User], staff: Client) -> None:
    url = reverse("admin:people_user_change", args=[people["synced"].pk])
    answer = staff.get(url)
    sections = [(each.name, list(each.fields)) for each in answer.context["adminform"]]
    assert (
        "Invoice Ninja",
        [
            "invoiceninja_sync_status",
            "invoiceninja_client_id",
            "invoiceninja_sync_attempts",
            "invoiceninja_last_sync_attempt",
        ],
    ) in sections
    assert "Wpmbk5ezJn" in answer.content.decode()
    url = reverse("admin:people_user_change", args=[people["pending"].pk])
    assert ">None<" not in staff.get(url).content.decode()


def test_the_fields_cannot_be_posted(people: dict[str, User], staff: Client) -> None:
    form = staff.get(
        reverse("admin:people_user_change", args=[people["synced"].pk])
    ).context["adminform"].form  # fmt: skip
    assert not [name for name in form.fields if name.startswith("invoiceninja")]


def test_retry_makes_due_what_is_not_in_step_and_counts(
    people: dict[str, User], staff: Client
) -> None:
    told = act(staff, USERS, "retry_now", people["failed"], people["retry"], people["synced"])
    assert told == "2 links are due now. 1 was in step and was left."
    assert link_of(people["failed"]).state == State.DUE
    assert link_of(people["failed"]).attempts == 0
    assert link_of(people["synced"]).state == State.DONE


def test_force_sends_again_what_is_in_step(people: dict[str, User], staff: Client) -> None:
    put(people["synced"], fingerprint="f")
    assert act(staff, USERS, "force_retry", people["synced"]) == "1 link is due now."
    link = link_of(people["synced"])
    assert (link.state, link.fingerprint, link.remote_id) == (State.DUE, "", "Wpmbk5ezJn")


def test_retry_marks_who_is_older_than_the_connection(
    people: dict[str, User], staff: Client
) -> None:
    link_of(people["pending"]).delete()
    assert act(staff, USERS, "retry_now", people["pending"]) == "1 link is due now."
    assert link_of(people["pending"]).state == State.DUE


def test_who_has_nowhere_to_go_is_counted(people: dict[str, User], staff: Client) -> None:
    told = act(staff, USERS, "retry_now", User.objects.get(username="berlin"), people["failed"])
    assert told == "1 link is due now. 1 has no connection to be sent to."


def test_a_person_with_an_account_elsewhere_is_told_nothing_of(
    people: dict[str, User], theirs: Website, ours: Website, staff: Client
) -> None:
    """They have to do with our website too, so we see them; their link is not ours to see."""
    guest = person(theirs, "guest")
    put(guest, remote_id="Xhidden", **IN_STEP)
    guest.memberships.create(website=ours, role="client")
    assert "guest" in shown(staff, USERS)
    assert "Xhidden" not in staff.get(USERS).content.decode()
    page = staff.get(reverse("admin:people_user_change", args=[guest.pk])).content.decode()
    assert "Xhidden" not in page
    assert "Relay of Harbour" not in page
    assert shown(staff, USERS, q="Xhidden") == []
    assert "guest" not in shown(staff, USERS, invoiceninja_sync_status="synced")
    act(staff, USERS, "force_retry", guest)
    assert link_of(guest).state == State.DONE


def test_the_list_takes_as_many_queries_for_fifty(ours: Website, staff: Client) -> None:
    for url, make in ((USERS, person), (PRODUCTS, product)):
        for number in range(2):
            make(ours, f"few-{number}")
        staff.get(url)
        with CaptureQueriesContext(database) as few:
            staff.get(url)
        for number in range(50):
            make(ours, f"many-{number}")
        with CaptureQueriesContext(database) as many:
            staff.get(url)
        assert len(many) == len(few)


def test_superusers_see_all_websites(
    people: dict[str, User], theirs: Website, admin_client: Client
) -> None:
    put(person(theirs, "guest"), remote_id="Xtheirs", **IN_STEP)
    assert "Xtheirs" in admin_client.get(USERS).content.decode()
    assert shown(admin_client, USERS, q="Xtheirs") == ["guest"]


# -- products


@pytest.fixture
def goods(ours: Website) -> dict[str, Product]:
    found = {word: product(ours, word) for word in ("pending", "synced", "retry", "failed")}
    put(found["synced"], remote_id="VolejRejNm", **IN_STEP)
    put(found["retry"], **AGAIN)
    put(found["failed"], **GIVEN_UP)
    return found


@pytest.mark.parametrize(
    ("word", "names"),
    [("pending", ["pending"]), ("synced", ["synced"]), ("error", ["failed", "retry"])],
)
def test_products_are_filtered_by_status(
    goods: dict[str, Product], staff: Client, word: str, names: list[str]
) -> None:
    assert shown(staff, PRODUCTS, invoiceninja_sync_status=word) == names


def test_products_are_found_by_their_id_and_told_of(
    goods: dict[str, Product], staff: Client
) -> None:
    assert shown(staff, PRODUCTS, q="VolejRejNm") == ["synced"]
    url = reverse("admin:billing_product_change", args=[goods["synced"].pk])
    page = staff.get(url)
    names = [list(each.fields) for each in page.context["adminform"]]
    ninja = [
        "invoiceninja_sync_status",
        "invoiceninja_product_id",
        "invoiceninja_last_sync_attempt",
    ]
    assert names[-1] == ninja
    assert not set(names[0]) & set(ninja)
    assert "VolejRejNm" in page.content.decode()


def test_products_are_retried(goods: dict[str, Product], staff: Client) -> None:
    told = act(staff, PRODUCTS, "retry_now", *goods.values())
    assert told == "3 links are due now. 1 was in step and was left."
    assert act(staff, PRODUCTS, "force_retry", goods["synced"]) == "1 link is due now."


def test_anothers_products_are_not_retried(
    goods: dict[str, Product], theirs: Website, staff: Client
) -> None:
    foreign = product(theirs, "foreign")
    put(foreign, **GIVEN_UP)
    act(staff, PRODUCTS, "retry_now", foreign)
    assert link_of(foreign).state == State.DEAD


def test_new_pages_open(ours: Website, staff: Client) -> None:
    for name in ("people_user", "billing_product", "accounts_account", "accounts_organisation"):
        assert staff.get(reverse(f"admin:{name}_add")).status_code == 200


# -- links


def test_links_are_filtered_by_the_four_words(people: dict[str, User], staff: Client) -> None:
    answer = staff.get(LINKS, {"sync_status": "failed"})
    assert [link.pk for link in answer.context["cl"].result_list] == [link_of(people["failed"]).pk]
    assert "retry" in staff.get(LINKS, {"sync_status": "retry"}).content.decode()


def test_one_link_is_retried_from_its_page(people: dict[str, User], staff: Client) -> None:
    link = link_of(people["failed"])
    url = reverse("admin:integrations_link_retry", args=[link.pk])
    assert staff.get(url).status_code == 405
    back = reverse("admin:people_user_change", args=[people["failed"].pk])
    answer = staff.post(url, {"next": back})
    assert (answer.status_code, answer["Location"]) == (302, back)
    assert link_of(people["failed"]).state == State.DUE
    assert "link.retried" in staff.get(back).content.decode()
    elsewhere = staff.post(url, {"next": "https://elsewhere.example/"})
    assert elsewhere["Location"] == reverse("admin:integrations_link_change", args=[link.pk])


def test_force_sends_one_link_again(people: dict[str, User], staff: Client) -> None:
    link = link_of(people["synced"])
    url = reverse("admin:integrations_link_retry", args=[link.pk])
    staff.post(url)
    assert link_of(people["synced"]).state == State.DONE
    staff.post(url, {"force": "1"})
    assert link_of(people["synced"]).state == State.DUE


def test_anothers_link_is_not_there(
    people: dict[str, User], theirs: Website, client: Client, staff: Client
) -> None:
    guest = person(theirs, "guest")
    put(guest, **GIVEN_UP)
    url = reverse("admin:integrations_link_retry", args=[link_of(guest).pk])
    assert staff.post(url).status_code == 404
    assert client.post(url).status_code == 302  # to the log-in
    assert link_of(guest).state == State.DEAD
    page = reverse("admin:integrations_link_change", args=[link_of(guest).pk])
    assert staff.get(page).status_code in {302, 404}


# -- the panel


def test_an_accounts_page_leads_to_all_its_links(
    ours: Website, people: dict[str, User], staff: Client
) -> None:
    second = relay(ours, name="Second n8n", is_active=False)
    link = link_of(people["failed"])
    Link.objects.create(
        connection=second, kind=Kind.CUSTOMER.value, model=link.model, local_id=link.local_id,
        key=link.key, touched=link.touched, remote_id="Zthere", state=State.DONE,
        remote_url="https://books.example/clients/Zthere",
    )  # fmt: skip
    account = Account.objects.of(ours).get(pk=link.local_id)
    for name, obj in (("accounts_account", account), ("people_user", people["failed"])):
        page = staff.get(reverse(f"admin:{name}_change", args=[obj.pk])).content.decode()
        assert "Relay of Lindenhof" in page
        assert "Given up after 3 tries: It is down." in page
        assert "https://books.example/clients/Zthere" in page


def test_an_organisations_page_shows_its_accounts_links(ours: Website, staff: Client) -> None:
    club = Organisation.objects.create(website=ours, name="Club")
    account = Account.open_for_organisation(club)
    link = link_of(account)
    page = staff.get(reverse("admin:accounts_organisation_change", args=[club.pk]))
    assert reverse("admin:integrations_link_change", args=[link.pk]) in page.content.decode()


def test_an_error_with_markup_is_escaped(
    people: dict[str, User], goods: dict[str, Product], staff: Client
) -> None:
    for obj in (people["failed"], goods["failed"]):
        put(obj, last_error=MARKUP, remote_id=f"{MARKUP}{obj._meta.model_name}")
    link = link_of(people["failed"])
    pages = [
        USERS,
        PRODUCTS,
        LINKS,
        reverse("admin:people_user_change", args=[people["failed"].pk]),
        reverse("admin:billing_product_change", args=[goods["failed"].pk]),
        reverse("admin:integrations_link_change", args=[link.pk]),
    ]
    for url in pages:
        text = staff.get(url).content.decode()
        assert MARKUP not in text
        assert "&lt;script&gt;alert(1)" in text


def test_history_has_events_and_runs_that_concern_it(
    ours: Website, people: dict[str, User], staff: Client
) -> None:
    now = clock.now()
    link = put(people["failed"], attempted_at=now)
    connection = link.connection
    runs = {
        "named": SyncLog.objects.create(
            connection=connection, direction="push", sync_type=link.kind, status="partial",
            errors=[f"Customer {link.key}: It has no name."], created_at=now - timedelta(hours=2),
        ),
        "tried": SyncLog.objects.create(
            connection=connection, direction="push", sync_type=link.kind, status="success",
            created_at=now - timedelta(seconds=1), duration_ms=2000, message="Tried it",
        ),
        "other": SyncLog.objects.create(
            connection=connection, direction="push", sync_type=link.kind, status="failed",
            errors=["Customer c-another: It has no name either."],
            created_at=now - timedelta(hours=1),
        ),
    }  # fmt: skip
    url = reverse("admin:people_user_change", args=[people["failed"].pk])
    page = staff.get(url).content.decode()
    shown_runs = {
        name
        for name, run in runs.items()
        if reverse("admin:integrations_synclog_change", args=[run.pk]) in page
    }
    assert shown_runs == {"named", "tried"}
    assert "It has no name." in page
    for more in staff.get(url).context["outside"].more:
        assert staff.get(more[1]).status_code == 200


def test_history_ends_with_the_twentieth(people: dict[str, User], staff: Client) -> None:
    link = link_of(people["failed"])
    for _ in range(25):
        staff.post(reverse("admin:integrations_link_retry", args=[link.pk]))
    assert Event.objects.of_subject(link).filter(kind="link.retried").count() == 25
    page = staff.get(reverse("admin:integrations_link_change", args=[link.pk]))
    assert len(page.context["outside"].history) == 20


def test_a_page_takes_a_bounded_number_of_queries(
    ours: Website, people: dict[str, User], staff: Client
) -> None:
    url = reverse("admin:people_user_change", args=[people["failed"].pk])
    staff.get(url)
    with CaptureQueriesContext(database) as few:
        staff.get(url)
    link = link_of(people["failed"])
    for number in range(5):
        Link.objects.create(
            connection=relay(ours, name=f"Relay {number}", is_active=False),
            kind=link.kind, model=link.model, local_id=link.local_id, key=link.key,
            touched=link.touched,
        )  # fmt: skip
    with CaptureQueriesContext(database) as many:
        staff.get(url)
    assert len(many) == len(few)


def test_a_lookup_by_hand_is_refused(people: dict[str, User], staff: Client) -> None:
    """The status is no field to be read by other lookups."""
    try:
        answer = staff.get(USERS, {"invoiceninja_sync_status__startswith": "s"})
    except FieldError:
        pytest.fail("It reached the database.")
    assert answer.status_code in {302, 400}
