"""The magnitude of all axes of a sensor."""

from neuraltree.signals.filters.filter import Filter
from neuraltree.signals.sample_integers import root

NORM = Filter(
    "norm",
    "the length of the vector of all axes",
    integer=lambda x, constants: root((x * x).sum(axis=1)),
    axes=True,
    c="""static int32_t nt_norm(const int16_t *x, int axes) {
    uint64_t total = 0;
    for (int i = 0; i < axes; i++) total += (uint32_t)((int32_t)x[i] * x[i]);
    return (int32_t)nt_root(total);
}""",
    functions=("root",),
)
