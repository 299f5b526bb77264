"""The table of parts."""

from neuraltree.signals.parts.extreme_values import MAXIMUM, MINIMUM, SIGN_CHANGES
from neuraltree.signals.parts.samples_themselves import ORDERED, WINDOW
from neuraltree.signals.parts.sums import ABSOLUTES, PRODUCTS, SQUARES, SUM

PARTS = {
    part.name: part for part in (SUM, SQUARES, ABSOLUTES, MINIMUM, MAXIMUM, SIGN_CHANGES, WINDOW, ORDERED, PRODUCTS)
}
