"""The difference to the sample before."""

import numpy as np

from neuraltree.signals.filters.filter import Filter

DELTA = Filter(
    "delta",
    "the difference to the sample before; 0 for the first",
    integer=lambda x, constants: np.diff(x, prepend=x[:1]),
    state=("int32_t before;",),
    c="""static int32_t nt_delta(nt_delta_state *s, int32_t x, const int32_t *constants, int first) {
    int32_t d = first ? 0 : x - s->before;
    (void)constants;
    s->before = x;
    return d;
}""",
)
