"""What makes a window unknown: its features lie outside of what the model learned from. Integers, the same in C.

Two kinds, both small. An *envelope* holds the least and the largest value of each feature; a window with any feature
outside is unknown. The *distance* is Mahalanobis' with a diagonal covariance: how many standard deviations each feature
is away from a centre, squared and added up; a window farther than the threshold from every centre is unknown.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from neuraltree.signals.sample_integers import LARGEST
from neuraltree.tree.nodes import IntArray

MOST_FEATURES = 127  # so many of the largest squares fit 32 bits
MOST_STEPS = 4095  # of a feature's distance from a centre
STEPS = 16  # of a standard deviation; a distance is in squares of a step
HALF = 256  # of a score of an envelope: half of its width

Feature16 = Annotated[int, Meta(ge=-LARGEST, le=LARGEST)]
Place = Annotated[int, Meta(ge=0, le=65_535)]


class Envelope(Struct, frozen=True, tag="envelope", tag_field="kind", forbid_unknown_fields=True):
    """``places``: of the features that are looked at; ``low`` and ``high``: what each may be, ends included."""

    places: tuple[Place, ...]
    low: tuple[Feature16, ...]
    high: tuple[Feature16, ...]

    def __post_init__(self) -> None:
        _check(self.places, self.low, self.high)
        if any(low > high for low, high in zip(self.low, self.high, strict=True)):
            raise ValueError("the low end of an envelope lies above its high end")

    @property
    def constant_bytes(self) -> int:
        """Of the constants in C."""
        return 4 * len(self.places) + _place_bytes(self.places)

    def score(self, features: IntArray) -> IntArray:
        """(windows,) how far the worst feature of each is from the middle, in ``HALF`` of half of the width."""
        low, high = np.array(self.low, dtype=np.int64), np.array(self.high, dtype=np.int64)
        away = np.abs(2 * features[:, list(self.places)].astype(np.int64) - low - high)
        found: IntArray = (away * HALF // np.maximum(high - low, 1)).max(axis=1)
        return found

    def rejected(self, features: IntArray) -> NDArray[np.bool_]:
        """(windows,) from the features (windows, features) of the model."""
        seen = features[:, list(self.places)]
        inside = np.clip(seen, np.array(self.low), np.array(self.high)) == seen
        found: NDArray[np.bool_] = ~inside.all(axis=1)
        return found

    def limited(self, score: int) -> Envelope:
        """As wide as leaves windows of up to this ``score`` inside."""
        low, high = np.array(self.low), np.array(self.high)
        half = (score + 1) / HALF * np.maximum(high - low, 1) / 2
        ends = np.floor((low + high) / 2 - half), np.ceil((low + high) / 2 + half)
        held = [tuple(np.clip(end, -LARGEST, LARGEST).astype(int).tolist()) for end in ends]
        return Envelope(self.places, *held)

    def c_text(self) -> str:
        """``rejected`` as ``nt_rejected(const int16_t *features)``."""
        tables = _table("int16_t", "low", self.low) + _table("int16_t", "high", self.high)
        return _with_places(self.places, tables + ENVELOPE_C)


class Distance(Struct, frozen=True, tag="mahalanobis", tag_field="kind", forbid_unknown_fields=True):
    """``places``: of the features that are looked at; ``centres`` (centres, features). The steps of a feature are its
    distance from a centre times its multiplier, shifted right by its shift. ``threshold``: the largest distance that is
    known."""

    places: tuple[Place, ...]
    centres: tuple[tuple[Feature16, ...], ...]
    multipliers: tuple[Annotated[int, Meta(ge=0, le=LARGEST)], ...]
    shifts: tuple[Annotated[int, Meta(ge=0, le=31)], ...]
    threshold: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 2**31 - 1

    def __post_init__(self) -> None:
        if not self.centres:
            raise ValueError("a distance needs a centre")
        _check(self.places, *self.centres, self.multipliers, self.shifts)

    @property
    def constant_bytes(self) -> int:
        """Of the constants in C."""
        return len(self.places) * (2 * len(self.centres) + 3) + 4 + _place_bytes(self.places)

    def score(self, features: IntArray) -> IntArray:
        """(windows,) the distance of each from the nearest centre, in squares of a step."""
        seen = features[:, list(self.places)].astype(np.int64)
        multipliers, shifts = np.array(self.multipliers, dtype=np.int64), np.array(self.shifts)
        away = np.abs(seen[:, None] - np.array(self.centres, dtype=np.int64))
        steps = np.minimum((away * multipliers) >> shifts, MOST_STEPS)
        found: IntArray = (steps * steps).sum(axis=2).min(axis=1)
        return found

    def rejected(self, features: IntArray) -> NDArray[np.bool_]:
        """(windows,) from the features (windows, features) of the model."""
        return self.score(features) > self.threshold

    def limited(self, score: int) -> Distance:
        """With this threshold."""
        return Distance(self.places, self.centres, self.multipliers, self.shifts, score)

    def c_text(self) -> str:
        """``rejected`` as ``nt_rejected(const int16_t *features)``, with what it calls."""
        return self.distance_text() + FARTHER_C.replace("@THRESHOLD@", str(self.threshold))

    def distance_text(self) -> str:
        """``score`` as ``nt_distance(const int16_t *features)``."""
        flat = tuple(value for centre in self.centres for value in centre)
        tables = _table("int16_t", "centres", flat) + _table("uint16_t", "multipliers", self.multipliers)
        text = tables + _table("uint8_t", "shifts", self.shifts) + DISTANCE_C
        text = text.replace("@CENTRES@", str(len(self.centres))).replace("@MOST@", str(MOST_STEPS))
        return _with_places(self.places, text)


Rejection = Envelope | Distance


def _check(places: tuple[int, ...], *columns: tuple[int, ...]) -> None:
    if not 1 <= len(places) <= MOST_FEATURES:
        raise ValueError(f"a rejection looks at {len(places)} features; give 1 to {MOST_FEATURES}")
    if any(len(column) != len(places) for column in columns):
        lengths = ", ".join(str(len(column)) for column in columns)
        raise ValueError(f"a rejection of {len(places)} features has {lengths} constants; give one for each feature")


def _in_order(places: tuple[int, ...]) -> bool:
    return places == tuple(range(len(places)))


def _place_bytes(places: tuple[int, ...]) -> int:
    return 0 if _in_order(places) else 2 * len(places)


def _table(c_type: str, name: str, values: tuple[int, ...]) -> str:
    return f"static const {c_type} nt_known_{name}[{len(values)}] = {{{', '.join(map(str, values))}}};\n"


def _with_places(places: tuple[int, ...], text: str) -> str:
    table = "" if _in_order(places) else _table("uint16_t", "places", places)
    seen = "features[nt_known_places[i]]" if table else "features[i]"
    return table + text.replace("@SEEN@", seen).replace("@COUNT@", str(len(places)))


ENVELOPE_C = """
/* Whether a feature is what none was that was learned from. */
static int nt_rejected(const int16_t *features)
{
    NT_LOOP
    for (int i = 0; i < @COUNT@; ++i) {
        if (@SEEN@ < nt_known_low[i] || @SEEN@ > nt_known_high[i]) {
            return 1;
        }
    }
    return 0;
}
"""
DISTANCE_C = """
/* How far features are from those that were learned from: squares of 16ths of a standard deviation, added up. */
static int32_t nt_distance(const int16_t *features)
{
    int32_t least = INT32_MAX;
    NT_LOOP
    for (int k = 0; k < @CENTRES@; ++k) {
        int32_t sum = 0;
        NT_LOOP
        for (int i = 0; i < @COUNT@; ++i) {
            const int32_t ahead = (int32_t)@SEEN@ - nt_known_centres[k * @COUNT@ + i];
            const uint32_t far = (uint32_t)(ahead < 0 ? -ahead : ahead);
            const uint32_t steps = (far * nt_known_multipliers[i]) >> nt_known_shifts[i];
            const int32_t held = steps > @MOST@ ? @MOST@ : (int32_t)steps;
            sum += held * held;
        }
        if (sum < least) {
            least = sum;
        }
    }
    return least;
}
"""
FARTHER_C = """
static int nt_rejected(const int16_t *features)
{
    return nt_distance(features) > INT32_C(@THRESHOLD@);
}
"""
