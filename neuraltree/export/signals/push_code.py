"""The C of a push: what happens at every sample, and at the end of every hop."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from neuraltree.export.signals.signal_layout import Layout, PartCall, StreamPlan, WindowPlan
from neuraltree.signals.front_end.feature_names import Stream


def constants(layout: Layout) -> list[str]:
    """The constants of the filters."""
    return [
        f"static const int32_t nt_design{i}[{len(step.constants)}] = {{{', '.join(map(str, step.constants))}}};\n"
        for i, step in enumerate(layout.filters)
        if step.constants
    ]


def sample_function(layout: Layout) -> str:
    """``nt_take``: filters, blocks and buffers of one sample."""
    lines = [f"const int32_t c{i} = nt_held(sample[{i}]);" for i in layout.channels]
    lines += _filter_lines(layout)
    for i, one in enumerate(layout.streams):
        lines += _stream_lines(layout, i, one)
    lines += [f"(void){name};" for name in ("s", "sample", "first") if not re.search(rf"\b{name}\b", " ".join(lines))]
    head = "NT_INLINE void nt_take(@NAME@_state *s, const int16_t *sample, int first)"
    return f"{head}\n{{\n{_indented(lines)}\n}}\n"


def _filter_lines(layout: Layout) -> Iterator[str]:
    for i, step in enumerate(layout.filters):
        name = step.filter.name
        if step.filter.axes:
            axes = ", ".join(f"(int16_t)c{channel}" for channel in step.channels)
            yield f"const int16_t a{i}[{len(step.channels)}] = {{{axes}}};"
            yield f"const int32_t v{i} = nt_limit(nt_{name}(a{i}, {len(step.channels)}));"
        else:
            source = f"c{step.channels[0]}" if step.channels else f"v{_place(layout, step.before)}"
            state = f"&s->f{i}" if step.filter.state else "0"
            design = f"nt_design{i}" if step.constants else "0"
            yield f"const int32_t v{i} = nt_limit(nt_{name}({state}, {source}, {design}, first));"


def _place(layout: Layout, stream: Stream) -> int:
    """The position of the filter that a stream comes out of."""
    return [step.prefix for step in layout.filters].index(stream)


def _stream_lines(layout: Layout, i: int, one: StreamPlan) -> list[str]:
    if not one.is_kept:
        return []
    lines = [f"const int32_t {name} = {_value(layout, *side)};" for name, side in zip("xy", one.sides, strict=False)]
    lines += [f"const int32_t before = first ? x : s->before{i};"] * one.keeps_before
    for k, each in enumerate(one.blocks):
        assert each.part.block is not None
        place = f"s->b{i}_{k}[{each.blocks - 1}]"
        lines += [
            "{",
            f"    {each.part.c_type} a = {place};",
            f"    {each.part.block.update}",
            f"    {place} = a;",
            "}",
        ]
    lines += [f"s->before{i} = (int16_t)x;"] * one.keeps_before
    if one.buffer:
        start = f"{one.buffer - layout.hop} + " if one.buffer > layout.hop else ""
        lines.append(f"s->x{i}[{start}s->filled] = (int16_t)x;")
    return ["{", *(f"    {line}" for line in lines), "}"]


def _value(layout: Layout, stream: Stream, channel: int) -> str:
    return f"c{channel}" if channel >= 0 else f"v{_place(layout, stream)}"


def window_function(layout: Layout, i: int, one: WindowPlan) -> str:
    """``nt_window{i}``: the features of one window of a stream."""
    head = f"/* {one.stream.name}: the last {one.window} samples. */\nNT_CALL void nt_window{i}(@NAME@_state *s)\n{{\n"
    lines = [line for call in one.parts for line in _part_lines(layout, one.window, call)]
    for call in one.features:
        reads = "".join(f"{name}, " for name in call.reads)
        value = f"nt_{call.feature.name}({reads}{one.window}, {call.parameter})"
        lines.append(f"s->features[{call.place}] = (int16_t)nt_limit({value});")
    return f"{head}{_indented(lines)}\n}}\n"


def _part_lines(layout: Layout, window: int, call: PartCall) -> Iterator[str]:
    part, plan = call.part, layout.streams[call.stream]
    if part.block:
        k = [each.part.name for each in plan.blocks].index(part.name)
        hops, blocks = window // layout.hop, plan.blocks[k].blocks
        place = f"s->b{call.stream}_{k}"
        merged = f"nt_{part.block.merge}_{part.c_type}({_offset(place, blocks - hops)}, {hops})"
        yield f"const {part.c_type} {call.name} = {f'{place}[{blocks - 1}]' if hops == 1 else merged};"
        return
    x, count = _offset(f"s->x{call.stream}", plan.buffer - window), part.values(window)
    given = ", ".join([x, str(window), *call.needs])
    if not part.c:
        yield f"const int16_t *const {call.name} = {x};"
    elif count == 1:
        yield f"const {part.c_type} {call.name} = nt_{part.name}({given});"
    else:
        yield f"{part.c_type} {call.name}[{count}];"
        yield f"nt_{part.name}({given}, {call.name});"


def _offset(place: str, start: int) -> str:
    return f"{place} + {start}" if start else place


def next_function(layout: Layout) -> str:
    """``nt_next``: makes room for the samples of the next hop."""
    lines = []
    for i, one in enumerate(layout.streams):
        for k, each in enumerate(one.blocks):
            assert each.part.block is not None
            if each.blocks > 1:
                lines.append(f"nt_shift_{each.part.c_type}(s->b{i}_{k}, {each.blocks - 1}, 1);")
            lines.append(f"s->b{i}_{k}[{each.blocks - 1}] = {each.part.block.first};")
        if one.buffer > layout.hop:
            lines.append(f"nt_shift_int16_t(s->x{i}, {one.buffer - layout.hop}, {layout.hop});")
    return f"NT_CALL void nt_next(@NAME@_state *s)\n{{\n{_indented(lines or ['(void)s;'])}\n}}\n"


def first_values(layout: Layout) -> list[str]:
    """The statements after which blocks are empty, in a state of zeros."""
    return [
        f"s->b{i}_{k}[{each.blocks - 1}] = {each.part.block.first};"
        for i, one in enumerate(layout.streams)
        for k, each in enumerate(one.blocks)
        if each.part.block is not None and each.part.block.first != "0"
    ]


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(f"    {line}" for line in lines)
