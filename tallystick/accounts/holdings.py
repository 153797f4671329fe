"""What people, their accounts and their ways to sign in hold; see `personal`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Q

from tallystick.accounts.accounts import Account
from tallystick.accounts.addresses import Addressed
from tallystick.accounts.apikeys import ApiKey
from tallystick.accounts.idempotency import KeptAnswer
from tallystick.accounts.memberships import Membership
from tallystick.accounts.organisations import Organisation, OrganisationMember
from tallystick.accounts.personal import Holding, Kept, Whom, holdings, holds_nothing, register
from tallystick.kit import clock

ERASED = "erased"
_ADDRESS = tuple(column.name for column in Addressed._meta.fields)
_CONTACT = ("first_name", "last_name", "email")
_PERSON = ("phone_number", "date_of_birth", "nationality", "referral_code", "referred_by")


def _user_fields() -> list[str]:
    """What a user has here; a host's own user model may have less."""
    model = get_user_model()
    names = {column.name for column in model._meta.concrete_fields}
    wanted = (
        *("uid", "username", *_CONTACT, *_PERSON[:-1], "is_active", "is_staff", "is_superuser"),
        *("date_joined", "last_login", *getattr(model, "SENSITIVE_FIELDS", ())),
    )
    return [name for name in wanted if name in names]


def _users(whom: Whom) -> Any:  # noqa: ANN401 - of a user model that may be a host's
    return get_user_model()._default_manager.filter(pk__in=whom.users)


def _erase_user(whom: Whom) -> int:
    for user in _users(whom):
        _empty(user, (*_PERSON, *getattr(user, "SENSITIVE_FIELDS", ())))
        if not whom.keep_contact:
            _empty(user, _CONTACT)
            setattr(user, user.USERNAME_FIELD, f"{ERASED}-{getattr(user, 'uid', user.pk)}")
        user.is_active = user.is_staff = user.is_superuser = False
        user.last_login = None
        user.set_unusable_password()
        user.save()
        user.groups.clear()
        user.user_permissions.clear()
    return len(whom.users)


def _empty(row: models.Model, names: Iterable[str]) -> None:
    known = {column.name: column for column in row._meta.concrete_fields}
    for column in (known[name] for name in names if name in known):
        setattr(row, column.name, None if column.null else "")


def _keep_user(whom: Whom) -> Iterator[Kept]:
    if whom.keep_contact and whom.user:
        yield Kept("person", 1, "name and e-mail address, until what is open is settled")


def _erase_account(whom: Whom) -> int:
    if whom.keep_contact:
        return 0
    for account in _accounts(whom):
        _empty(account, _ADDRESS)
        account.erased_at = account.erased_at or clock.now()
        account.save()
    return len(whom.accounts)


def _accounts(whom: Whom) -> Any:  # noqa: ANN401 - as above
    return Account.objects.everywhere().filter(pk__in=whom.accounts).select_related("website")


def _keep_account(whom: Whom) -> Iterator[Kept]:
    if whom.keep_contact and whom.account:
        yield Kept("accounts", 1, "the postal address, until what is open is settled")


def _organisations(whom: Whom) -> Any:  # noqa: ANN401 - as above
    return Organisation.objects.everywhere().filter(pk__in=whom.organisations)


def _erase_organisation(whom: Whom) -> int:
    if whom.keep_contact:
        return 0
    for row in _organisations(whom):
        row.name, row.email, row.phone_number, row.tax_number = ERASED, "", "", ""
        row.is_active = False
        row.save()
    return len(whom.organisations)


def _memberships(whom: Whom) -> Any:  # noqa: ANN401 - as above
    return Membership.objects.filter(user__in=whom.users)


def _members(whom: Whom) -> Any:  # noqa: ANN401 - as above
    return OrganisationMember.objects.filter(
        Q(user__in=whom.users) | Q(organisation__in=whom.organisations)
    )


def _keys(whom: Whom) -> Any:  # noqa: ANN401 - as above
    return ApiKey.objects.everywhere().filter(user__in=whom.users)


def _revoke_keys(whom: Whom) -> int:
    keys = _keys(whom)
    keys.filter(revoked_at=None).update(revoked_at=clock.now())
    return int(keys.update(name=ERASED))


def _answers(whom: Whom) -> Any:  # noqa: ANN401 - as above
    owners = [f"user:{pk}" for pk in whom.users] + [f"key:{pk}" for pk in whom.api_keys]
    return KeptAnswer.objects.filter(owner__in=owners)


def _sessions(whom: Whom) -> Any:  # noqa: ANN401 - as above
    """Those in the database. Which is whose stands inside: all of them are read."""
    sessions = apps.get_model("sessions", "Session")._default_manager
    wanted = {str(pk) for pk in whom.users}
    theirs = [
        session.pk
        for session in sessions.iterator(chunk_size=500)
        if wanted and str(session.get_decoded().get("_auth_user_id", "")) in wanted
    ]
    return sessions.filter(pk__in=theirs)


def _logged(whom: Whom) -> Any:  # noqa: ANN401 - as above
    """What the admin's own history says of them: it quotes names."""
    types = apps.get_model("contenttypes", "ContentType")._default_manager
    about = Q(pk__in=())
    for holding in holdings():
        if holding.model._meta.label_lower == "admin.logentry":
            continue
        ids = [str(pk) for pk in holding.rows(whom).values_list("pk", flat=True)]
        if ids:
            about |= Q(content_type=types.get_for_model(holding.model), object_id__in=ids)
    return apps.get_model("admin", "LogEntry")._default_manager.filter(about)


def _delete(rows: Any) -> int:  # noqa: ANN401 - as above
    count: int = rows.count()
    rows.delete()
    return count


def _delete_of(rows: Callable[[Whom], Any], whom: Whom) -> int:
    return _delete(rows(whom))


def _of_user(label: str) -> Any:  # noqa: ANN401 - as above
    model = apps.get_model(label)
    return lambda whom: model._default_manager.filter(user__in=whom.users)


def install() -> None:
    """Say what is held. Called when the app is ready."""
    register(
        Holding(
            section="person",
            model=get_user_model(),
            rows=_users,
            show=_user_fields(),
            erase=_erase_user,
            keep=_keep_user,
            turn=2,
        ),
        Holding(
            section="accounts",
            model=Account,
            rows=_accounts,
            show=["uid", "website.name", *_ADDRESS, "currency", "language", "erased_at"],
            erase=_erase_account,
            keep=_keep_account,
            turn=2,
        ),
        Holding(
            section="organisations",
            model=Organisation,
            rows=_organisations,
            show=["uid", "website.name", "name", "email", "phone_number", "tax_number"],
            erase=_erase_organisation,
            turn=2,
        ),
        Holding(
            section="memberships",
            model=Membership,
            rows=_memberships,
            show=["role", "website.name"],
            erase=lambda whom: _delete(_memberships(whom)),
        ),
        Holding(
            section="organisation_members",
            model=OrganisationMember,
            rows=lambda whom: _members(whom).select_related("organisation", "user"),
            show=["organisation.name", "user.uid"],
            erase=lambda whom: _delete(OrganisationMember.objects.filter(user__in=whom.users)),
        ),
        Holding(
            section="api_keys",
            model=ApiKey,
            rows=_keys,
            show=["name", "prefix", "scopes", "created_at", "last_used_at", "revoked_at"],
            erase=_revoke_keys,
        ),
        Holding(
            section="stored_api_answers",
            model=KeptAnswer,
            rows=_answers,
            show=["key", "status", "created_at"],
            erase=lambda whom: _delete(_answers(whom)),
        ),
    )
    holds_nothing("the seller's own", "accounts.Website")
    holds_nothing("digests, gone within the hour", "accounts.Tries")
    holds_nothing("names of rights", "auth.Permission", "auth.Group", "contenttypes.ContentType")
    holds_nothing("when routines ran", "queue.Schedule")
    _install_sign_in()


def _install_sign_in() -> None:
    """What others' apps hold, where they are installed."""
    held = {
        "account.EmailAddress": ("sign_in_addresses", ["email", "verified", "primary"]),
        "mfa.Authenticator": ("second_factors", ["type", "created_at", "last_used_at"]),
    }
    for label, (section, show) in held.items():
        if apps.is_installed(f"allauth.{label.partition('.')[0]}"):
            rows = _of_user(label)
            register(
                Holding(
                    section=section,
                    model=apps.get_model(label),
                    rows=rows,
                    show=show,
                    erase=partial(_delete_of, rows),
                )
            )
    holds_nothing("goes with its address", "account.EmailConfirmation")
    if apps.is_installed("django.contrib.sessions"):
        register(
            Holding(
                section="sessions",
                model=apps.get_model("sessions", "Session"),
                rows=_sessions,
                show=["expire_date"],
                erase=lambda whom: _delete(_sessions(whom)),
            )
        )
    if apps.is_installed("django.contrib.admin"):
        register(
            Holding(
                section="admin_history",
                model=apps.get_model("admin", "LogEntry"),
                rows=_logged,
                show=["action_time", "content_type.model", "object_repr", "change_message"],
                erase=lambda whom: _logged(whom).update(object_repr=ERASED, change_message=""),
                turn=0,
            )
        )
