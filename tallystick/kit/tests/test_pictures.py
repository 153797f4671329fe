from __future__ import annotations

import base64

import pytest

from tallystick.kit import pictures

# A pixel each, as small as encoders make them.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


def test_what_is_whole_can_be_shown() -> None:
    assert pictures.kind_of(PNG) == "png"
    assert pictures.is_whole(PNG)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"<html>", b"<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'/>"),
        *(PNG[:40], PNG[:8] + b"junk" * 20, b"\xff\xd8\xff" + b"junk" * 20, b"GIF89a"),
    ],
)
def test_what_is_not_cannot(data: bytes) -> None:
    assert not pictures.is_whole(data)
