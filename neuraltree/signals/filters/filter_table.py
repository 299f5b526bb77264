"""The table of filters."""

from neuraltree.signals.filters.difference import DELTA
from neuraltree.signals.filters.high_pass import HIGH
from neuraltree.signals.filters.low_pass import LOW
from neuraltree.signals.filters.magnitude import NORM

FILTERS = {one.name: one for one in (DELTA, LOW, HIGH, NORM)}
