"""Whether a colour can be read on another."""

from __future__ import annotations

_ENOUGH = 4.5  # WCAG 2.2, 1.4.3 (AA)
_LINEAR_BELOW = 0.04045  # sRGB, IEC 61966-2-1


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white); colours as `#rrggbb`. WCAG 2.2, contrast ratio."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def is_readable(colour: str, on: str = "#ffffff") -> bool:
    return contrast(colour, on) >= _ENOUGH


def _luminance(colour: str) -> float:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= _LINEAR_BELOW else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
