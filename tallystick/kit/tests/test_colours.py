from __future__ import annotations

import pytest

from tallystick.kit.colours import contrast, is_readable


def test_black_on_white_is_the_most() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#336699", "#336699") == 1


@pytest.mark.parametrize(("colour", "readable"), [("#767676", True), ("#777777", False)])
def test_the_edge_of_what_can_be_read(colour: str, readable: bool) -> None:
    assert is_readable(colour) is readable
