"""What a provider has of customers and products, as ours: found here, written here, made here."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import slugify

from tallystick.accounts import tenancy
from tallystick.accounts.models import Account, Organisation, Website
from tallystick.accounts.people import may_manage
from tallystick.accounts.roles import websites_of
from tallystick.accounts.standing import Person, standing_of
from tallystick.billing.models import Product, TaxRate
from tallystick.events import record
from tallystick.integrations.sync import CannotApply, Places
from tallystick.kit.db.keysets import among
from tallystick.ports.records import RemoteCustomer, RemoteProduct

User = get_user_model()
ORGANISATION = "organisation"
_BY_HAND = ": what is there is not taken over unseen; link it, and take theirs by hand."
_LONGEST_ID = 18
"""Digits of a number that any database takes for an id."""


def accounts_by(by: str, values: Collection[str], website_id: int) -> Places:
    """See `ModelSync.lookup`."""
    rows = Account.objects.of(website_id).filter(erased_at=None)
    if by == "key":
        keyed = rows.filter(uid__in=_uids(values, "c-")).values_list("uid", "pk")
        return _places((f"c-{uid.hex}", pk) for uid, pk in keyed)
    if by == "local_id":
        numbers = _numbers(values)
        return _places(rows.filter(user__in=numbers).values_list("user_id", "pk"))
    return _accounts_by_email(rows, values) if by == "email" else {}


def products_by(by: str, values: Collection[str], website_id: int) -> Places:
    """See `ModelSync.lookup`."""
    rows = Product.objects.of(website_id)
    if by == "key":
        keyed = rows.filter(uid__in=_uids(values, "p-")).values_list("uid", "pk")
        return _places((f"p-{uid.hex}", pk) for uid, pk in keyed)
    if by == "local_id":
        return _places(
            (pk, pk) for pk in rows.filter(pk__in=_numbers(values)).values_list("pk", flat=True)
        )
    return _places(rows.filter(slug__in=values).values_list("slug", "pk")) if by == "code" else {}


def take_customer(account: Account, found: RemoteCustomer) -> list[str]:
    """See `ModelSync.take`. What is empty there leaves ours as it is."""
    owner: Any = account.organisation or account.user
    changed = _written(owner, _said(_of_owner(owner, found)))
    changed += _written(account, _address(account, found) | _said({"tax_number": found.tax_number}))
    if changed:
        record("account.taken_over", account, change={"fields": changed})
    return changed


def make_customer(found: RemoteCustomer, website: Website, choice: str) -> Account:
    """See `ModelSync.make`. A person gets no password, and so no way to sign in until they ask for
    one."""
    with tenancy.of(website):
        if choice == ORGANISATION:
            organisation = Organisation(website=website, name=found.name[:150] or found.email)
            _save(organisation)
            account = Account.open_for_organisation(organisation)
        else:
            account = Account.open_for_user(_person(found), website)
        if account.website_id != website.pk:
            raise CannotApply("Their account was opened at another website.")
        take_customer(account, found)
    record("account.imported", account, website=website)
    return account


def is_person(found: RemoteCustomer) -> bool:
    """Whether the record reads as a person: it has no other name than its contact's."""
    contact = f"{found.first_name} {found.last_name}".strip()
    return not found.name or found.name.casefold() in {contact.casefold(), found.email.casefold()}


def take_product(product: Product, found: RemoteProduct) -> list[str]:
    """See `ModelSync.take`."""
    values: dict[str, Any] = {}
    if found.currency in {"", product.currency}:  # another's price was never ours
        values["price"] = found.price
    if found.name and found.name != found.code:
        values["name"] = found.name
    if _is_other_text(product, found):
        values["description"] = found.description
    values["is_active"] = found.is_active
    changed = _written(product, values)
    if changed:
        record("product.taken_over", product, change={"fields": changed})
    return changed


def make_product(found: RemoteProduct, website: Website) -> Product:
    """See `ModelSync.make`."""
    slug = slugify(found.code)[:120]
    if slug and Product.objects.of(website).filter(slug=slug).exists():
        raise CannotApply(f"There is a product “{slug}” here already: link it to that one.")
    product = Product(
        website=website,
        name=(found.name or found.code)[:200],
        slug=slug,
        description=found.description,
        price=found.price,
        currency=found.currency or website.currency,
        tax_rate=_tax_rate(found, website),
        is_active=found.is_active,
    )
    _save(product)
    record("product.imported", product, website=website)
    return product


def check_manager(account: Account, by: Person) -> None:
    """Raises `CannotApply` where `by` may not change the person whose account it is: their e-mail
    address is what a new password is sent to."""
    if account.user and not may_manage(by, account.user):
        raise CannotApply(
            "They may do more here than you, or have to do with other websites: a superadmin may take "
            "it over."
        )


def without_manager(account: Account, found: RemoteCustomer) -> RemoteCustomer:
    """What of `found` may be written where nobody looks on: of a person never the e-mail address that
    they sign in by, and nothing at all of staff and of people of other websites. Raises
    `CannotApply`."""
    person = account.user
    if person is None:
        return found
    if person.is_staff or person.is_superuser or standing_of(person).is_admin:
        raise CannotApply(f"They are staff here{_BY_HAND}")
    if websites_of(person).exclude(pk=account.website_id).exists():
        raise CannotApply(f"They have to do with other websites too{_BY_HAND}")
    return replace(found, email="")


def _said(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _address(account: Account, found: RemoteCustomer) -> dict[str, Any]:
    """An address is taken as a whole. Of one that says nothing else, the country is the seller's own,
    unless ours has one."""
    theirs = {name: getattr(found.address, name) for name in account.address()}
    if any(theirs[name] for name in theirs if name != "country"):
        return {**theirs, "country": found.address.country or account.country}
    return _said({"country": found.address.country}) if account.country else {}


def _of_owner(owner: Any, found: RemoteCustomer) -> dict[str, Any]:  # noqa: ANN401 - the host's user
    values: dict[str, Any] = {"email": found.email}
    if hasattr(owner, "phone_number"):
        values["phone_number"] = found.phone
    if isinstance(owner, Organisation):
        return {**values, "name": found.name or owner.name}
    first, last = found.first_name, found.last_name
    if found.name not in {"", found.email, f"{first} {last}".strip()}:
        first, _, last = found.name.strip().rpartition(" ")
    return {**values, "first_name": first, "last_name": last} if first or last else values


def _is_other_text(product: Product, found: RemoteProduct) -> bool:
    """A provider may have written our category below the description: that is not one."""
    if product.description:
        return product.description not in found.description
    below = filter(None, (product.category, product.country_of_origin))
    return not any(text in found.description for text in below)


def _person(found: RemoteCustomer) -> Any:  # noqa: ANN401 - the host's user
    if found.email and User._default_manager.filter(among("email", [found.email])).exists():
        raise CannotApply(
            "A person here has this e-mail address already: link it to theirs, or make an organisation."
        )
    name = found.email or f"imported-{uuid.uuid4().hex[:12]}"
    person = User(**{User.USERNAME_FIELD: name[:150], "email": found.email})
    person.set_unusable_password()
    _save(person)
    return person


def _written(obj: Any, values: dict[str, Any]) -> list[str]:  # noqa: ANN401 - any model
    """Save what differs; the names of it. What the model does not allow is said as it says it."""
    changed = [name for name, value in values.items() if getattr(obj, name) != value]
    for name in changed:
        setattr(obj, name, values[name])
    if changed:
        _save(obj)
    return changed


def _save(obj: models.Model) -> None:
    try:
        obj.full_clean(exclude=["password"])
    except ValidationError as error:
        words = "; ".join(f"{name}: {' '.join(said)}" for name, said in error.message_dict.items())
        raise CannotApply(f"It cannot be taken over: {words}") from error
    obj.save()


def _tax_rate(found: RemoteProduct, website: Website) -> TaxRate | None:
    """The website's rate of as many per cent, where there is exactly one."""
    if found.tax is None:
        return None
    rates = TaxRate.objects.of(website).filter(percent=found.tax.percent, is_active=True)[:2]
    return rates[0] if len(rates) == 1 else None


def _accounts_by_email(rows: Any, emails: Collection[str]) -> Places:  # noqa: ANN401 - a queryset
    found: dict[str, list[str]] = defaultdict(list)
    for path, model in (("user", User), ("organisation", Organisation)):
        owners = model._base_manager.filter(among("email", emails)).values_list("pk", "email")
        said = {pk: email.lower() for pk, email in owners}
        ids = rows.filter(**{f"{path}__in": list(said)}).values_list(path, "pk")
        for owner, pk in ids:
            found[said[owner]].append(str(pk))
    return found


def _places(pairs: Iterable[tuple[Any, Any]]) -> Places:
    found: dict[str, list[str]] = defaultdict(list)
    for value, pk in pairs:
        found[str(value)].append(str(pk))
    return found


def _uids(keys: Collection[str], prefix: str) -> list[uuid.UUID]:
    """Of the keys that are ours to read."""
    uids = []
    for key in keys:
        try:
            uids.append(uuid.UUID(hex=key.removeprefix(prefix) if key.startswith(prefix) else ""))
        except ValueError:
            continue
    return uids


def _numbers(values: Collection[str]) -> list[int]:
    """Of the values that may be ids of ours."""
    plain = (value for value in values if value.isascii() and value.isdecimal())
    return [int(value) for value in plain if len(value) <= _LONGEST_ID]
