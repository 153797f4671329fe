"""Encrypted fields, on a table of the tests' own."""

from __future__ import annotations

import base64
import json
import logging
import pprint
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core import serializers
from django.core.exceptions import FieldError, ValidationError
from django.db import connection, models
from django.forms import modelform_factory
from django.forms.models import model_to_dict
from django.test.utils import isolate_apps
from pytest_django import Settings

from tallystick.kit.db import rotation
from tallystick.kit.db.apps import DatabaseKitConfig
from tallystick.kit.db.checks import check_keys
from tallystick.kit.db.fields import EncryptedJSONField, EncryptedTextField, Sealed, Secrets
from tallystick.kit.encryption import WrongKey, is_sealed, new_key
from tallystick.kit.env import BadSetting

CANARY = "canary-4111"
# The same in every process: parameters of tests are made of them.
KEY_1, KEY_2 = (base64.b64encode(bytes(range(at, at + 32))).decode() for at in (150, 201))

with isolate_apps("tallystick.kit.db"):

    class Vault(models.Model):
        uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
        label = models.CharField(max_length=20, blank=True)
        note = EncryptedTextField(blank=True)
        secrets = EncryptedJSONField(blank=True)

        class Meta:
            app_label = "tallystick_kit"

        def __str__(self) -> str:
            return self.label


@pytest.fixture(autouse=True)
def _vaults(transactional_db: None, settings: Settings) -> Iterator[None]:
    settings.FIELD_KEYS = f"k1:{KEY_1}"
    with connection.schema_editor() as editor:
        editor.create_model(Vault)
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(Vault)


def make(**values: Any) -> Vault:
    return Vault._default_manager.create(
        **{"note": CANARY, "secrets": {"token": CANARY, "more": {"inner": CANARY}}, **values}
    )


def stored(column: str = "note") -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM tallystick_kit_vault ORDER BY id")  # noqa: S608 - a constant
        return [text for (text,) in cursor.fetchall()]


def fresh(vault: Vault) -> Vault:
    return Vault._default_manager.get(pk=vault.pk)


# -- storing and reading


def test_what_is_stored_is_sealed_and_reads_back() -> None:
    vault = make()
    assert all(text.startswith("v1:k1:") for text in stored() + stored("secrets"))
    assert CANARY not in "".join(stored() + stored("secrets"))
    assert fresh(vault).note == CANARY
    assert fresh(vault).secrets == {"token": CANARY, "more": {"inner": CANARY}}
    vault.refresh_from_db()
    assert vault.note == CANARY


def test_an_empty_value_is_empty() -> None:
    vault = make(note="", secrets={})
    assert stored() == stored("secrets") == [""]
    assert fresh(vault).note == ""
    assert fresh(vault).secrets == {}
    assert Vault._default_manager.filter(note="").exists()
    assert not Vault._default_manager.exclude(secrets="").exists()


def test_a_change_within_the_secrets_is_saved() -> None:
    vault = fresh(make())
    vault.secrets["token"] = "other"
    vault.save()
    assert fresh(vault).secrets["token"] == "other"


def test_many_are_made_at_once() -> None:
    Vault._default_manager.bulk_create([Vault(note=f"n{i}") for i in range(3)])
    assert [vault.note for vault in Vault._default_manager.order_by("pk")] == ["n0", "n1", "n2"]


def test_a_value_of_another_row_or_column_does_not_open() -> None:
    one, other = make(), make()
    sealed = dict(zip(("note", "other"), stored(), strict=True))
    for column, text in (("note", sealed["other"]), ("secrets", sealed["note"])):
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE tallystick_kit_vault SET {column} = %s WHERE id = %s",  # noqa: S608 - constants
                [text, one.pk],
            )
        with pytest.raises(WrongKey, match=f"Vault {one.pk}"):
            getattr(fresh(one), column)
    assert fresh(other).note == CANARY


def test_a_row_cannot_take_a_value_along_under_another_uid() -> None:
    copy = fresh(make())
    copy.pk, copy.uid = None, uuid.uuid4()
    with pytest.raises(WrongKey):
        copy.save()


def test_a_deferred_value_is_fetched_when_it_is_read(
    django_assert_num_queries: Callable[[int], Any],
) -> None:
    make()
    vault = Vault._default_manager.only("label").get()
    with django_assert_num_queries(2):  # the value, and the uid it is sealed to
        assert vault.note == CANARY


def test_the_wrong_key_is_an_error_and_never_the_ciphertext(settings: Settings) -> None:
    vault = make()
    settings.FIELD_KEYS = f"k1:{KEY_2}"
    with pytest.raises(WrongKey, match="does not open with key 'k1'") as caught:
        _ = fresh(vault).note
    assert "v1:" not in str(caught.value)
    settings.FIELD_KEYS = f"k2:{KEY_2}"
    with pytest.raises(WrongKey, match="'k1', which the ring does not hold"):
        _ = fresh(vault).secrets
    with pytest.raises(WrongKey):
        fresh(vault).save()


# -- what cannot be asked or done


def test_sealed_columns_cannot_be_searched() -> None:
    for lookup in ("note__contains", "note__startswith", "note__in", "note__gt", "note__length"):
        with pytest.raises(FieldError):
            Vault._default_manager.filter(**{lookup: "x"}).exists()
    with pytest.raises(FieldError, match="cannot be searched"):
        Vault._default_manager.filter(note=CANARY).exists()


def test_a_value_is_not_written_without_its_row() -> None:
    vault = make()
    with pytest.raises(FieldError, match="save"):
        Vault._default_manager.update(note="x")
    vault.note = "x"
    with pytest.raises(FieldError, match="save"):
        Vault._default_manager.bulk_update([vault], ["note"])
    Vault._default_manager.update(note="")
    assert fresh(vault).note == ""


# -- the canary


def test_secrets_are_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    vault = fresh(make())
    row = Vault._default_manager.values().get()
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").info("%s %r %s", vault.secrets, vault, row)
        fresh(vault).save()
    shown = [
        repr(vault.secrets),
        str(vault.secrets),
        f"{vault.secrets}",
        pprint.pformat(vault.secrets),
        repr(vault.secrets["more"]),
        repr(vault),
        repr(row),
        str(row["note"]),
        str(model_to_dict(vault, exclude=["note"])),
        serializers.serialize("json", [vault]),
        serializers.serialize("xml", [vault]),
        caplog.text,
    ]
    assert not [text for text in shown if CANARY in text]
    assert repr(vault.secrets) == "<secrets: more, token>"
    assert isinstance(row["note"], Sealed)
    with pytest.raises(TypeError):
        json.dumps(row["secrets"])


def test_a_dump_is_sealed_and_loads() -> None:
    vault = make()
    dump = serializers.serialize("json", [fresh(vault)])
    fields = json.loads(dump)[0]["fields"]
    loaded = Vault(uid=vault.uid)
    for field in rotation.sealed_fields(Vault):
        assert is_sealed(fields[field.name])
        setattr(loaded, field.name, field.to_python(fields[field.name]))
    vault.delete()
    loaded.save_base(raw=True)  # as loaddata does
    assert fresh(loaded).note == CANARY
    assert fresh(loaded).secrets == vault.secrets
    loaded.save()
    assert fresh(loaded).note == CANARY


def test_a_fixture_is_not_written_in_the_clear() -> None:
    with pytest.raises(FieldError, match="unsealed fixture"):
        Vault(note="plain").save_base(raw=True)


def test_what_a_person_types_is_never_taken_for_a_sealed_value() -> None:
    make()
    sealed = stored()[0]
    vault = Vault(note=sealed)
    vault.full_clean()
    vault.save()
    assert fresh(vault).note == sealed


def test_forms_edit_the_text_and_do_not_know_the_secrets() -> None:
    form_class = modelform_factory(Vault, fields="__all__")
    assert set(form_class.base_fields) == {"label", "note"}
    form = form_class({"note": "typed", "secrets": '{"token": "stolen"}'}, instance=make())
    assert fresh(form.save()).note == "typed"
    assert fresh(form.instance).secrets["token"] == CANARY


def test_validators_still_hold() -> None:
    class Short(EncryptedTextField):
        pass

    field = Short(choices=[("a", "A")])
    field.set_attributes_from_name("short")
    with pytest.raises(ValidationError):
        field.clean("b", None)


# -- keys and checks


@pytest.mark.parametrize("keys", ["", "k1", "k1:short", f"k1:{KEY_1},k1:{KEY_2}"])
def test_malformed_keys_are_said_at_the_start(keys: str, settings: Settings) -> None:
    settings.FIELD_KEYS = keys
    with pytest.raises(BadSetting, match=r"^FIELD_KEYS: ") as caught:
        DatabaseKitConfig.create("tallystick.kit.db").ready()
    assert KEY_1 not in str(caught.value)


def test_the_development_key_is_refused_for_production(settings: Settings) -> None:
    assert check_keys(None) == []
    settings.FIELD_KEYS = "dev:" + "A" * 43 + "="
    assert [error.id for error in check_keys(None)] == ["tallystick.E003"]


@isolate_apps("tallystick.kit.db")
def test_a_field_says_what_it_needs() -> None:
    class Bad(models.Model):
        one = EncryptedTextField(null=True)
        other = EncryptedTextField(db_index=True)

        class Meta:
            app_label = "tallystick_kit"

        def __str__(self) -> str:
            return ""

    ids = [error.id for field in Bad._meta.local_fields for error in field.check()]
    assert ids.count("tallystick.E001") == 2
    assert ids.count("tallystick.E002") == 2
    assert not [error for field in Vault._meta.local_fields for error in field.check()]


# -- rotation


def test_rotation_renews_every_seal_and_then_the_old_key_can_go(settings: Settings) -> None:
    vaults = [make(label=str(i)) for i in range(5)]
    make(note="", secrets={})
    settings.FIELD_KEYS = f"k2:{KEY_2},k1:{KEY_1}"
    tallies = [(tally.seen, tally.renewed) for tally in rotation.renew(Vault, batch_size=2)]
    assert tallies == [(2, 2), (4, 4), (6, 5)]
    settings.FIELD_KEYS = f"k2:{KEY_2}"
    assert {fresh(vault).note for vault in vaults} == {CANARY}
    assert [tally.renewed for tally in rotation.renew(Vault)] == [0]


def test_a_dry_run_changes_nothing(settings: Settings) -> None:
    make()
    before = stored()
    settings.FIELD_KEYS = f"k2:{KEY_2},k1:{KEY_1}"
    assert [tally.renewed for tally in rotation.renew(Vault, write=False)] == [1]
    assert stored() == before


def test_rotation_does_not_undo_what_others_write_meanwhile(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = make()
    settings.FIELD_KEYS = f"k2:{KEY_2},k1:{KEY_1}"
    replace = rotation._replace

    def replace_late(row: models.Model, *seals: Any) -> bool:
        other = fresh(vault)
        other.note = "written meanwhile"
        other.save()
        return replace(row, *seals)

    monkeypatch.setattr(rotation, "_replace", replace_late)
    (tally,) = rotation.renew(Vault)
    assert (tally.renewed, tally.overtaken) == (0, 1)
    assert fresh(vault).note == "written meanwhile"
    monkeypatch.undo()
    assert [tally.renewed for tally in rotation.renew(Vault)] == [0]


def test_a_save_renews_the_seals_too(settings: Settings) -> None:
    vault = fresh(make())
    settings.FIELD_KEYS = f"k2:{KEY_2},k1:{KEY_1}"
    vault.save()
    assert stored()[0].startswith("v1:k2:")


def test_a_row_that_does_not_open_is_counted_and_the_rest_go_on(settings: Settings) -> None:
    lost, kept = make(), None
    settings.FIELD_KEYS = f"k2:{KEY_2}"
    kept = make()
    settings.FIELD_KEYS = f"k3:{new_key()},k2:{KEY_2}"
    (tally,) = rotation.renew(Vault)
    assert (tally.seen, tally.renewed, tally.unreadable) == (2, 1, 1)
    assert f"Vault {lost.pk}" in tally.complaint
    assert CANARY not in tally.complaint
    assert fresh(kept).secrets == Secrets(token=CANARY, more={"inner": CANARY})
