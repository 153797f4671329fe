"""A website's colour and logo on the pages that its clients see."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from django.urls import reverse

from tallystick.billing import typesetting
from tallystick.kit import colours

if TYPE_CHECKING:
    from tallystick.accounts.models import Website

_STEPS = 20


def logo_url(website: Website) -> str:
    """Where the logo is, named after the file so that browsers may keep it; empty without one."""
    if not website.logo.name:
        return ""
    name = website.logo.name.rpartition("/")[2]
    return f"{reverse('website-logo', args=[website.uid])}?{name}"


@lru_cache(maxsize=256)
def style(colour: str) -> str:
    """Rules that put `colour` in the place of our accent: as it is where it can be read on white,
    and lifted until it can be read on the dark. Empty where it cannot be read."""
    tokens = typesetting.tokens()
    light, dark = tokens["light"]["sheet"], tokens["dark"]["sheet"]
    if not colour or not colours.is_readable(colour, light):
        return ""
    lifted = _lifted(colour, dark)
    on_lifted = tokens["dark"]["on-accent"]
    return (
        f":root{{--accent:{colour};--on-accent:#ffffff;--wash:{_mixed(light, colour, 0.08)}}}"
        f"@media(prefers-color-scheme:dark){{:root{{--accent:{lifted};--on-accent:{on_lifted};"
        f"--wash:{_mixed(dark, colour, 0.25)}}}}}"
    )


def _lifted(colour: str, on: str) -> str:
    """`colour` with as much white in it as it takes to be read on `on`."""
    steps = (_mixed(colour, "#ffffff", step / _STEPS) for step in range(_STEPS + 1))
    return next(mixed for mixed in steps if colours.is_readable(mixed, on))


def _mixed(one: str, other: str, share: float) -> str:
    pairs = ((int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    parts = [round(a + (b - a) * share) for a, b in pairs]
    return f"#{parts[0]:02x}{parts[1]:02x}{parts[2]:02x}"
