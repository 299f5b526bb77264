"""The table of filters."""

from neuraltree.signals.filters.difference import DELTA
from neuraltree.signals.filters.magnitude import NORM

FILTERS = {one.name: one for one in (DELTA, NORM)}
