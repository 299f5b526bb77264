"""The table of parts."""

from neuraltree.signals.parts.central_sums import CENTRAL
from neuraltree.signals.parts.difference_squares import DIFFERENCE_SQUARES
from neuraltree.signals.parts.extreme_values import MAXIMUM, MINIMUM, SIGN_CHANGES
from neuraltree.signals.parts.samples_themselves import ORDERED, WINDOW
from neuraltree.signals.parts.spectrum import SPECTRUM
from neuraltree.signals.parts.sums import ABSOLUTES, PRODUCTS, SQUARES, SUM

PARTS = {
    part.name: part
    for part in (
        *(SUM, SQUARES, ABSOLUTES, MINIMUM, MAXIMUM, SIGN_CHANGES, PRODUCTS),
        *(WINDOW, ORDERED, CENTRAL, DIFFERENCE_SQUARES, SPECTRUM),
    )
}
