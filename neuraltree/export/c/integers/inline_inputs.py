"""Raw integers to 8 bits inside straight code, each where it is first needed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuraltree.compress.int8.lookup_tables import UNIT
from neuraltree.compress.int8.stages import IntegerStage

# -127..127 are shifted to 0..254: one unsigned comparison then finds both ends, and few inputs are beyond them.
LIMITS = """#if defined(__GNUC__)
#define NT_RARE(test) __builtin_expect((test), 0)
#else
#define NT_RARE(test) (test)
#endif
/* The nearest of 0..254. */
NT_INLINE int32_t nt_limited(int32_t t)
{
    return NT_RARE((uint32_t)t > 254u) ? (~t >> 31) & 254 : t;
}
/* For inputs that can be beyond one end only. */
NT_INLINE int32_t nt_least(int32_t t)
{
    return t < 0 ? 0 : t;
}
NT_INLINE int32_t nt_most(int32_t t)
{
    return t > 254 ? 254 : t;
}
"""
CLAMPS = {(True, True): "nt_limited", (True, False): "nt_least", (False, True): "nt_most", (False, False): ""}
LARGEST = 2**31


def integer_texts(stage: IntegerStage, texts: Sequence[str]) -> list[str]:
    """For each input the C expression of its 8-bit number plus 127, from the expression of its integer."""
    ends = np.stack([stage.rescaled(stage.low), stage.rescaled(stage.high)], axis=1)
    parts = (stage.low, stage.high, stage.multiplier, stage.offset, stage.shift, ends)
    return [_text(*row) for row in zip(texts, *(part.tolist() for part in parts), strict=True)]


def _text(x: str, low: int, high: int, multiplier: int, offset: int, shift: int, ends: list[int]) -> str:
    if (low, high) == (0, 1):
        zero, one = (min(max(end, -UNIT), UNIT) + UNIT for end in ends)
        return f"{x} ? {one} : {zero}"
    moved = offset + (UNIT << shift)
    if max(abs(x * multiplier + moved) for x in (low, 0, high)) < LARGEST:
        whole = f"((int32_t){x} * {multiplier} + {moved}) >> {shift}".replace("+ -", "- ")
    else:
        whole = f"(((int32_t){x} * {multiplier} + {offset}) >> {shift}) + {UNIT}".replace("+ -", "- ")
    clamp = CLAMPS[ends[0] < -UNIT, ends[1] > UNIT]
    return f"{clamp}({whole})" if clamp else whole
