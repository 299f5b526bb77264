"""A high-pass filter."""

import numpy as np

from neuraltree.signals.filters.biquad import ONE, STATE, allowed_cutoffs, poles, recursion, tried_cutoffs
from neuraltree.signals.filters.filter import Filter
from neuraltree.tree.nodes import IntArray


def _design(millihertz: int, rate_hz: float) -> tuple[int, ...]:
    gain, a1, a2 = poles(millihertz, rate_hz)
    return round(gain * ONE), a1, a2


def _high(x: IntArray, constants: tuple[int, ...]) -> IntArray:
    held = np.concatenate([x[:1], x[:1], x])
    states = recursion(held[2:] - 2 * held[1:-1] + held[:-2], constants, 0)
    return (np.array(states, dtype=np.int64) + STATE // 2) // STATE


HIGH = Filter(
    "high",
    "a high-pass filter, Butterworth's of the second order, with that cut-off in mHz; begins as if the first sample "
    "had always been there",
    integer=_high,
    state=("int16_t x1, x2;", "int32_t y1, y2;"),
    c="""static int32_t nt_high(nt_high_state *s, int32_t x, const int32_t *constants, int first) {
    if (first) { s->x1 = s->x2 = (int16_t)x; s->y1 = s->y2 = 0; }
    return nt_biquad(x, x - 2 * (int32_t)s->x1 + s->x2, constants, &s->x1, &s->x2, &s->y1, &s->y2);
}""",
    functions=("biquad",),
    design=_design,
    parameters=tried_cutoffs,
    allowed=allowed_cutoffs,
)
