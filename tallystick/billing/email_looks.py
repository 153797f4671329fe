"""How a website's mails look: its logo, and its colour where it can be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallystick.billing import typesetting
from tallystick.kit import pictures
from tallystick.kit.colours import contrast, is_readable

if TYPE_CHECKING:
    from tallystick.accounts.models import Website

_LARGEST_LOGO = 200_000


@dataclass(frozen=True)
class Look:
    """The colours of buttons and links in the light and in the dark, and of the text on them."""

    accent: str
    on_accent: str
    accent_dark: str
    on_accent_dark: str
    logo: bytes = b""
    logo_type: str = ""


def look_of(website: Website) -> Look:
    light, dark = typesetting.tokens()["light"], typesetting.tokens()["dark"]
    accent = _accent(website.accent_colour, light)
    accent_dark = _accent(website.accent_colour, dark)
    logo, kind = _logo(website)
    return Look(
        accent,
        _on(accent, light["on-accent"], dark["on-accent"]),
        accent_dark,
        _on(accent_dark, dark["on-accent"], light["on-accent"]),
        logo,
        kind,
    )


def _accent(colour: str, theme: dict[str, str]) -> str:
    """`colour` where links in it can be read on the theme's sheet, else the theme's own."""
    if len(colour) == len("#rrggbb") and is_readable(colour, theme["sheet"]):
        return colour.lower()
    return theme["accent"]


def _on(ground: str, usual: str, other: str) -> str:
    return usual if contrast(ground, usual) >= contrast(ground, other) else other


def _logo(website: Website) -> tuple[bytes, str]:
    """The logo and its type, where there is one that is small enough to go with every mail."""
    if not website.logo.name or not website.logo.storage.exists(website.logo.name):
        return b"", ""
    with website.logo.open() as file:
        picture: bytes = file.read(_LARGEST_LOGO + 1)
    kind = pictures.kind_of(picture)
    return (picture, kind) if kind and len(picture) <= _LARGEST_LOGO else (b"", "")
