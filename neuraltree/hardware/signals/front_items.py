"""What a plan of streaming code consists of, item by item: features that share an item pay for it once.

An item is a set of *terms*: calls of functions, which are compiled alike in every model, and *sites*, the code around
them. The figures of terms are in ``signal_figures``. Lengths that a longer window extends are cut into steps, one for
each window of the front end, so that a set of features has the items of its longest window.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from neuraltree.export.signals.signal_layout import (
    TYPE_BYTES,
    BlockPart,
    FeatureCall,
    Layout,
    PartCall,
    StreamPlan,
    WindowPlan,
)
from neuraltree.export.signals.state_fields import filter_bytes
from neuraltree.hardware.signals.signal_work import Work, merge_work, shift_work, work_of
from neuraltree.signals.c_functions import C_FUNCTIONS

INT16 = 2  # bytes


@dataclass(frozen=True)
class FrontItem:
    """One item. ``sample`` and ``decision``: the calls at each sample and at each decision, each a function and its
    work; ``sites``: how often each; ``texts``: functions that the code contains; ``ram_bytes`` of the state, whose
    entries are ``align`` bytes; ``constants``: bytes in
    flash. ``array_bytes``: on the stack while the ``window`` is computed."""

    sample: tuple[tuple[str, Work], ...] = ()
    decision: tuple[tuple[str, Work], ...] = ()
    sites: tuple[tuple[str, float], ...] = ()
    texts: tuple[str, ...] = ()
    ram_bytes: int = 0
    align: int = 1
    constants: int = 0
    array_bytes: int = 0
    window: Hashable = None


Items = dict[Hashable, FrontItem]


def items_of(layout: Layout, windows: Sequence[int]) -> Items:
    """The items of a plan; ``windows``: all lengths of windows that features of the front end have."""
    found: Items = {}
    for channel in layout.channels:
        found["channel", channel] = FrontItem(sites=(("channel", 1),))
    for step in layout.filters:
        name, has_state = f"nt_{step.filter.name}", bool(step.filter.state)
        size, align = filter_bytes(step.filter) if has_state else (0, 1)
        work = work_of(step.filter.name, len(step.channels), 0)
        sites = ((f"filter_{step.filter.name}", 1), ("axis", len(step.channels) if step.filter.axes else 0))
        found["filter", step.prefix] = FrontItem(
            sample=((name, work),), sites=sites, ram_bytes=size, align=align, constants=4 * len(step.constants)
        )
        found.update(_texts(name, step.filter.functions))
    for stream in layout.streams:
        found.update(_stream_items(layout, stream, windows))
    for window in layout.windows:
        found.update(_window_items(layout, window))
    return found


def _texts(name: str, helpers: Sequence[str]) -> Iterator[tuple[Hashable, FrontItem]]:
    yield ("text", name), FrontItem(texts=(name,))
    for helper in helpers:
        yield from _texts(f"nt_{helper}", C_FUNCTIONS[helper][1])


def _steps(windows: Sequence[int], longest: int) -> Iterator[tuple[int, int]]:
    """Each window up to the longest with the one before it, 0 before the first."""
    yield from pairwise([0, *(n for n in windows if n <= longest)])


def _stream_items(layout: Layout, one: StreamPlan, windows: Sequence[int]) -> Iterator[tuple[Hashable, FrontItem]]:
    if not one.is_kept:
        return
    yield ("stream", one.stream), FrontItem(sites=(("stream", 1),))
    if one.keeps_before:
        yield ("before", one.stream), FrontItem(sites=(("before", 1),), ram_bytes=INT16, align=INT16)
    for block in one.blocks:
        yield from _block_items(layout, one, block, windows)
    if one.buffer:
        yield ("buffer", one.stream), FrontItem(sites=(("buffer", 1),))
    for before, n in _steps(windows, one.buffer):
        moved = shift_work(n - max(before, layout.hop)) if n > layout.hop else ()
        begins = before <= layout.hop < n
        yield (
            ("buffered", one.stream, n),
            FrontItem(
                decision=(("nt_shift_int16_t", (float(begins), *moved)),) if moved else (),
                sites=(("shift", float(begins)),),
                ram_bytes=INT16 * (n - before),
                align=INT16,
            ),
        )
        if begins:
            yield from _texts("nt_shift_int16_t", ())


def _block_items(
    layout: Layout, one: StreamPlan, block: BlockPart, windows: Sequence[int]
) -> Iterator[tuple[Hashable, FrontItem]]:
    part, size = block.part, TYPE_BYTES[block.part.c_type]
    assert part.block is not None
    shift = f"nt_shift_{part.c_type}"
    yield ("block", one.stream, part.name), FrontItem(sites=((f"block_{part.name}", 1),))
    for before, n in _steps(windows, block.blocks * layout.hop):
        first, last = before // layout.hop, n // layout.hop
        moved = shift_work(last - max(first, 1)) if last > 1 else ()
        begins = first <= 1 < last
        yield (
            ("ring", one.stream, part.name, n),
            FrontItem(
                decision=((shift, (float(begins), *moved)),) if moved else (),
                sites=(("shift", float(begins)),),
                ram_bytes=size * (last - first),
                align=size,
            ),
        )
        if begins:
            yield from _texts(shift, ())
            yield from _texts(f"nt_{part.block.merge}_{part.c_type}", ())


def _window_items(layout: Layout, one: WindowPlan) -> Iterator[tuple[Hashable, FrontItem]]:
    yield ("window", one.stream, one.window), FrontItem(sites=(("window", 1),))
    for part in one.parts:
        stream = layout.streams[part.stream].stream
        yield ("part", one.stream, one.window, stream, part.part.name), _part(layout, one, part)
        if part.part.c:
            yield from _texts(f"nt_{part.part.name}", part.part.functions)
    for feature in one.features:
        key = ("feature", one.stream, one.window, feature.feature.name, feature.parameter)
        yield key, _feature(one, feature)
        yield from _texts(f"nt_{feature.feature.name}", feature.feature.functions)


def _part(layout: Layout, one: WindowPlan, call: PartCall) -> FrontItem:
    part, window = call.part, one.window
    if part.block:
        hops = window // layout.hop
        if hops == 1:
            return FrontItem(sites=(("newest", 1),))
        return FrontItem(
            decision=((f"nt_{part.block.merge}_{part.c_type}", (1.0, *merge_work(hops))),), sites=(("merge", 1),)
        )
    if not part.c:
        return FrontItem(sites=(("address", 1),))
    own = (f"nt_{part.name}", work_of(part.name, window, 0))
    if part.values(window) == 1:
        return FrontItem(decision=(own,), sites=(("value", 1),))
    size = part.values(window) * TYPE_BYTES[part.c_type]
    return FrontItem(decision=(own,), sites=(("array", 1),), array_bytes=size, window=(one.stream, window))


def _feature(one: WindowPlan, call: FeatureCall) -> FrontItem:
    work = work_of(call.feature.name, one.window, call.parameter)
    sites = (("feature", 1.0), ("argument", float(len(call.reads))))
    return FrontItem(decision=((f"nt_{call.feature.name}", work),), sites=sites, ram_bytes=INT16, align=INT16)
