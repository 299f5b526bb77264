"""The C of a push: what happens at every sample, and at the end of every hop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from neuraltree.export.signals.layout import FilterStep, Layout, StreamPlan, WindowPlan
from neuraltree.export.signals.table_functions import merge_of
from neuraltree.signals.front_end.feature_names import Stream
from neuraltree.signals.parts.part import Part


def constants(layout: Layout) -> list[str]:
    """The constants of the filters."""
    return [
        f"static const int32_t nt_design{i}[{len(step.constants)}] = {{{', '.join(map(str, step.constants))}}};\n"
        for i, step in enumerate(layout.filters)
        if step.constants
    ]


def sample_function(layout: Layout) -> str:
    """``nt_sample``: filters, blocks and buffers of one sample."""
    lines = [*_filter_lines(layout)]
    for i, one in enumerate(layout.streams):
        lines += _stream_lines(layout, i, one)
    body = _indented(lines)
    unused = "" if any("first" in line for line in lines) else "    (void)first;\n"
    nothing = "" if any("sample[" in line for line in lines) else "    (void)sample;\n"
    return f"NT_INLINE void nt_sample(@NAME@_state *s, const int16_t *sample, int first)\n{{\n{unused}{nothing}{body}\n}}\n"


def _filter_lines(layout: Layout) -> Iterator[str]:
    places = {step.prefix: i for i, step in enumerate(layout.filters)}
    for i, step in enumerate(layout.filters):
        if step.filter.axes:
            yield from _axes(i, step)
        else:
            source = f"v{places[step.before]}" if step.before in places else f"sample[{step.channels[0]}]"
            state = f"&s->f{i}" if step.filter.state else "0"
            design = f"nt_design{i}" if step.constants else "0"
            yield f"const int32_t v{i} = nt_limit(nt_{step.filter.name}({state}, {source}, {design}, first));"


def _axes(i: int, step: FilterStep) -> Iterator[str]:
    channels, count = step.channels, len(step.channels)
    if channels == tuple(range(channels[0], channels[0] + count)):
        place = f"sample + {channels[0]}" if channels[0] else "sample"
    else:
        place = f"a{i}"
        yield f"const int16_t a{i}[{count}] = {{{', '.join(f'sample[{c}]' for c in channels)}}};"
    yield f"const int32_t v{i} = nt_limit(nt_{step.filter.name}({place}, {count}));"


def _stream_lines(layout: Layout, i: int, one: StreamPlan) -> list[str]:
    lines = [f"const int32_t x = {_value(layout, one.stream, one.channel)};"]
    lines += [f"const int32_t before = first ? x : s->before{i};"] * one.keeps_before
    for k, each in enumerate(one.blocks):
        assert each.part.block is not None
        place = f"s->b{i}_{k}[{each.blocks - 1}]"
        lines += ["{", f"    {each.part.c_type} a = {place};", f"    {each.part.block.update}", f"    {place} = a;", "}"]
    lines += [f"s->before{i} = (int16_t)x;"] * one.keeps_before
    if one.buffer:
        start = f"{one.buffer - layout.hop} + " if one.buffer > layout.hop else ""
        lines.append(f"s->x{i}[{start}s->filled] = (int16_t)x;")
    return ["{", *(f"    {line}" for line in lines), "}"]


def _value(layout: Layout, stream: Stream, channel: int) -> str:
    if channel >= 0:
        return f"sample[{channel}]"
    return f"v{[step.prefix for step in layout.filters].index(stream)}"


def window_function(layout: Layout, i: int, one: WindowPlan) -> str:
    """``nt_window{i}``: the features of one window of a stream."""
    plan = layout.streams[one.stream]
    head = f"/* {plan.stream.name}: the last {one.window} samples. */\nNT_CALL void nt_window{i}(@NAME@_state *s)\n{{\n"
    lines = list(_part_lines(layout, one))
    for place, feature, parameter in one.features:
        reads = "".join(f"{name}, " for name in feature.reads)
        lines.append(
            f"s->features[{place}] = (int16_t)nt_limit(nt_{feature.name}({reads}{one.window}, {parameter}));"
        )
    return f"{head}{_indented(lines)}\n}}\n"


def _part_lines(layout: Layout, one: WindowPlan) -> Iterator[str]:
    plan = layout.streams[one.stream]
    blocks = {each.part.name: (k, each) for k, each in enumerate(plan.blocks)}
    hops = one.window // layout.hop
    for part in one.parts:
        if part.name in blocks:
            k, each = blocks[part.name]
            place, start = f"s->b{one.stream}_{k}", each.blocks - hops
            at = f"{place} + {start}" if start else place
            value = f"{place}[{start}]" if hops == 1 else f"nt_{merge_of(each)}_{part.c_type}({at}, {hops})"
            yield f"const {part.c_type} {part.name} = {value};"
        else:
            yield from _call(part, one, plan)


def _call(part: Part, one: WindowPlan, plan: StreamPlan) -> Iterator[str]:
    start = plan.buffer - one.window
    needs = "".join(f", {name}" for name in part.needs)
    x = f"s->x{one.stream}" + (f" + {start}" if start else "")
    count = part.values(one.window)
    if count == 1:
        yield f"const {part.c_type} {part.name} = nt_{part.name}({x}, {one.window}{needs});"
    else:
        yield f"{part.c_type} {part.name}[{count}];"
        yield f"nt_{part.name}({x}, {one.window}{needs}, {part.name});"


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
