from __future__ import annotations

from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from pytest_django import Settings

from tallystick.accounts.websites import Website
from tallystick.kit import clock
from tallystick.kit.tests.test_pictures import PNG

pytestmark = pytest.mark.django_db


def test_today_is_the_date_where_the_website_is(ours: Website) -> None:
    evening = clock.VirtualClock(datetime(2026, 6, 30, 22, 30, tzinfo=UTC))
    with clock.use(evening):
        assert ours.today() == date(2026, 6, 30)
        ours.time_zone = "Europe/Berlin"
        assert ours.today() == date(2026, 7, 1)
        ours.time_zone = "America/New_York"
        assert ours.today() == date(2026, 6, 30)


def test_one_website_is_the_default(ours: Website, theirs: Website) -> None:
    assert Website.objects.default() is None
    ours.make_default()
    theirs.make_default()
    theirs.make_default()
    assert Website.objects.default() == theirs
    assert not Website.objects.get(pk=ours.pk).is_default
    with transaction.atomic(), pytest.raises(IntegrityError):
        Website.objects.filter(pk=ours.pk).update(is_default=True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("domain", "https://x.example"),
        ("domain", "X.example"),
        ("domain", "x.example/path"),
        ("domain", "x.example\n"),
        ("domain", "-x.example"),
        ("currency", "EURO"),
        ("country", "UK"),
        ("language", "klingon"),
        ("time_zone", "Mars/Base"),
        ("accent_colour", "green"),
        ("iban", "DE00 1234"),
        ("iban", "DE89 3704 0044 0532 0130 01"),
        ("iban", "ZZ89 3704 0044 0532 0130 00"),
        ("bic", "X"),
        ("bic", "COBAZZFF"),
        ("bic", "cobadeff"),
        ("logo", "logo.svg"),
    ],
)
def test_what_a_website_is_made_of_is_checked(field: str, value: str) -> None:
    website = Website(name="W", domain="w.example")
    setattr(website, field, value)
    with pytest.raises(ValidationError) as caught:
        website.full_clean()
    assert set(caught.value.message_dict) == {field}


@pytest.mark.parametrize("iban", ["", "DE89 3704 0044 0532 0130 00", "GB33BUKB20201555555555"])
@pytest.mark.parametrize("bic", ["", "COBADEFF", "BUKBGB22XXX"])
def test_a_bank_account_as_banks_write_it(iban: str, bic: str) -> None:
    Website(name="W", domain="w.example", iban=iban, bic=bic).full_clean()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (PNG, ""),
        (b"<script>alert(1)</script>", "no PNG or JPEG"),
        (PNG[:40], "no PNG or JPEG"),
        (PNG + b"\0" * 400_000, "larger than 400 kB"),
    ],
)
def test_a_logo_is_looked_into(
    ours: Website, settings: Settings, tmp_path: Path, data: bytes, said: str
) -> None:
    settings.MEDIA_ROOT = tmp_path
    ours.logo = SimpleUploadedFile("a.png", data)  # as a form does
    if said:
        with pytest.raises(ValidationError, match=said):
            ours.full_clean()
        return
    ours.full_clean()
    ours.save()
    (tmp_path / ours.logo.name).unlink()
    ours.full_clean()  # what is kept is not read again, even where it is lost


@pytest.mark.parametrize("domain", ["localhost:8000", "pay.example.org", "xn--bcher-kva.example"])
def test_hosts(domain: str) -> None:
    website = Website(name="W", domain=domain)
    website.full_clean()
    assert website.domain == domain


def test_the_first_website_made_by_hand_is_the_default() -> None:
    out = StringIO()
    for name in ("one", "two"):
        call_command(
            "create_website",
            f"--name={name}",
            f"--domain={name}.example",
            "--currency=GBP",
            "--country=GB",
            "--time-zone=Europe/London",
            stdout=out,
        )
    assert out.getvalue() == (
        "Created website one (one.example). It is the default one.\n"
        "Created website two (two.example).\n"
    )
    one = Website.objects.get(name="one")
    assert (one.currency, one.country, one.time_zone) == ("GBP", "GB", "Europe/London")
    call_command("create_website", "--name=3", "--domain=three.example", "--default", stdout=out)
    assert Website.objects.get(is_default=True).name == "3"


def test_what_is_wrong_is_said_in_one_line() -> None:
    with pytest.raises(CommandError, match=r"^domain: .* currency: EURO is not") as caught:
        call_command("create_website", "--name=x", "--domain=/", "--currency=EURO")
    assert "\n" not in str(caught.value)
    assert not Website.objects.exists()
