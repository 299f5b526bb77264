"""The functions of filters, parts and features that a model calls, each once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from neuraltree.export.signals.signal_layout import TYPE_BYTES, BlockPart, Layout, WindowPlan
from neuraltree.signals.c_functions import C_FUNCTIONS
from neuraltree.signals.features.feature import Feature
from neuraltree.signals.filters.filter import Filter
from neuraltree.signals.parts.part import Part

LIMIT = """/* Functions that compilers do not fit to the arguments of one caller: they cost the same in every model. */
#if defined(__GNUC__)
#define NT_APART NT_CALL __attribute__((used))
#else
#define NT_APART NT_CALL
#endif

/* A sample without the least number that 16 bits hold, which has no counterpart. */
NT_INLINE int32_t nt_held(int16_t v)
{
    return v < -32767 ? -32767 : v;
}

/* A number, held within 16 bits; -32768 is left out. */
NT_INLINE int32_t nt_limit(int32_t v)
{
    return v > 32767 ? 32767 : v < -32767 ? -32767 : v;
}
"""
# Loops with a fence become no calls of a library, and no more than one step at a time.
SHIFT = """/* Makes room for the next hop: the first of ``keep`` numbers is overwritten. */
NT_APART void nt_shift_@TYPE@(@TYPE@ *a, int keep, int by)
{
    NT_LOOP
    for (; keep > 0; --keep, ++a) {
        *a = a[by];
        NT_FENCE;
    }
}
"""
MERGE = """/* Blocks to the value of a window. */
NT_APART @TYPE@ nt_@MERGE@_@TYPE@(const @TYPE@ *a, int n)
{
    @TYPE@ found = *a;
    NT_LOOP
    for (; --n > 0;) {
        ++a;
        found = @STEP@;
    }
    return found;
}
"""
STEPS = {
    "add": "(@TYPE@)(found + *a)",
    "min": "*a < found ? *a : found",
    "max": "*a > found ? *a : found",
}


def function_texts(layout: Layout) -> list[str]:
    """The texts in an order in which each is defined before it is called."""
    found: dict[str, str] = {}
    filters = [step.filter for step in layout.filters]
    parts = [call.part for one in layout.windows for call in one.parts if call.part.c]
    features = [call.feature for one in layout.windows for call in one.features]
    rows: Sequence[Filter | Part | Feature] = [*filters, *parts, *features]
    for row in rows:
        for helper in row.functions:
            _add_helper(found, helper)
    for row in rows:
        found.setdefault(f"nt_{row.name}", alone(row.c))
    return [_empty_state(one) for one in dict.fromkeys(filters) if not one.state and not one.axes] + list(
        found.values()
    )


def _empty_state(one: Filter) -> str:
    return f"typedef char nt_{one.name}_state; /* nothing */\n"


def _add_helper(found: dict[str, str], name: str) -> None:
    if name in found:
        return
    text, others = C_FUNCTIONS[name]
    for other in others:
        _add_helper(found, other)
    found[name] = alone(text)


def alone(text: str) -> str:
    """A function of the tables, never inlined and never fitted to its callers, so that it costs the same in every
    model."""
    return re.sub(r"^static (?!const|inline)(?=[^;={]*\()", "NT_APART ", text.strip(), flags=re.MULTILINE) + "\n"


def shared_texts(layout: Layout) -> list[str]:
    """The functions that move samples and blocks on, and that merge blocks, for the types that occur."""
    blocks = [each for one in layout.streams for each in one.blocks if each.blocks > 1]
    moved = {each.part.c_type for each in blocks}
    moved |= {"int16_t" for one in layout.streams if one.buffer > layout.hop}
    merged = {(merge_of(each), each.part.c_type) for each in blocks}
    return [
        LIMIT,
        *(SHIFT.replace("@TYPE@", kind) for kind in sorted(moved)),
        *(_merge(merge, kind) for merge, kind in sorted(merged)),
    ]


def _merge(merge: str, kind: str) -> str:
    return MERGE.replace("@STEP@", STEPS[merge]).replace("@MERGE@", merge).replace("@TYPE@", kind)


def merge_of(one: BlockPart) -> str:
    """The name of the way in which blocks of a part are merged."""
    assert one.part.block is not None
    return one.part.block.merge


def scratch_bytes(windows: Iterable[WindowPlan]) -> int:
    """RAM on the stack of parts with several values, of the window that has most."""
    return max((sum(_array_bytes(call.part, one.window) for call in one.parts) for one in windows), default=0)


def _array_bytes(part: Part, window: int) -> int:
    count = part.values(window)
    return count * TYPE_BYTES[part.c_type] if part.c and count > 1 else 0
