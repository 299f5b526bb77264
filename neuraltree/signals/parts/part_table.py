"""The table of parts."""

from neuraltree.signals.parts.sums import SQUARES, SUM

PARTS = {part.name: part for part in (SUM, SQUARES)}
