"""Round steps for an axis."""

from __future__ import annotations

import math

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def ticks(highest: float, intervals: int = 3) -> list[float]:
    """From 0 to the first round number that is not below `highest`, in about so many steps."""
    if highest <= 0:
        return [0.0, 1.0]
    rough = highest / intervals
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in _STEPS if power * each >= rough * 0.999)
    count = math.ceil(highest / step * 0.999)
    return [step * number for number in range(count + 1)]
