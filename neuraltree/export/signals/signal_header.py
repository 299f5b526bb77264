"""The header of a model that is fed samples: the state, the functions, and all units."""

from __future__ import annotations

from neuraltree.export.c.header_inputs import enum_text
from neuraltree.export.c.parts import literal
from neuraltree.export.names import MARK, members
from neuraltree.export.signals.signal_layout import Layout
from neuraltree.export.signals.state_fields import Field, state_bytes, state_fields
from neuraltree.export.signals.table_functions import scratch_bytes
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.one_class import OneClassModel
from neuraltree.signals.signal_model import SignalModel


def header(model: SignalModel | OneClassModel, layout: Layout, name: str, precision: str) -> str:
    """``NAME.h``."""
    upper, classes = name.upper(), model.classes
    fields = state_fields(layout, model.events, len(classes or ()))
    parts = [
        _remark(model, layout, name, precision, fields),
        f"#ifndef {upper}_H\n#define {upper}_H\n\n#include <stdint.h>\n",
        '#ifdef __cplusplus\nextern "C" {\n#endif\n',
        f"/* A sample has one int16_t for each channel, side by side in this order. */\n"
        f"{enum_text('CHANNEL', upper, model.front_end.channels)}",
        _units(model.front_end, upper),
        _timing(model.front_end, layout, upper),
        *([f"/* Classes. */\n{enum_text('CLASS', upper, classes)}"] if classes is not None else []),
        (CLASS_CODES if classes is not None else VALUE_CODES).replace("@UPPER@", upper),
        f"enum {{ {upper}_FEATURES = {layout.num_features} }};\n",
        *_filter_states(layout),
        _state(fields, name),
        (FUNCTIONS + _results(model)).replace("@NAME@", name),
        f"#ifdef __cplusplus\n}}\n#endif\n\n#endif /* {upper}_H */\n",
    ]
    return "\n".join(part.replace("@UPPER@", upper) for part in parts)


def _results(model: SignalModel | OneClassModel) -> str:
    if isinstance(model, OneClassModel):
        return ONE_CLASS_FUNCTIONS
    return VALUE_FUNCTIONS if model.classes is None else CLASS_FUNCTIONS


def _remark(
    model: SignalModel | OneClassModel, layout: Layout, name: str, precision: str, fields: tuple[Field, ...]
) -> str:
    front_end, stack = model.front_end, scratch_bytes(layout.windows)
    kind = "a target" if model.classes is None else f"{len(model.classes)} classes"
    title, deciding = "A neural tree", "features and tree"
    if isinstance(model, OneClassModel):
        title, kind, deciding = "A model of normal samples", "normal or unknown", "features and their distance"
    lines = [
        f"/* {title} that is fed samples: {len(front_end.channels)} channels, {layout.num_features} features, "
        f"{kind}, {precision}.",
        f"   {MARK}; do not edit.",
        "",
        f"     {name}_state state;",
        f"     {name}_reset(&state);",
        f"     event = {name}_push(&state, sample);    for each sample, {front_end.rate_hz:g} times a second",
        "",
        "   No heap, no library, no recursion; as many states as you like. A state of this size is all RAM besides the",
        f"   stack: {state_bytes(fields)} B on cores of 32 bits. "
        + (f"The stack holds {stack} B of features' work at most." if stack else ""),
        f"   The longest push is the one that ends a hop, every {layout.hop} samples: it computes {deciding}."
        "\n   Its time does not grow with the length of the stream. Any interrupt may push, but not two one state. */",
    ]
    return "\n".join(line.rstrip() for line in lines)


def _units(front_end: FrontEnd, upper: str) -> str:
    if not front_end.counts_per_unit:
        return "/* The unit of a channel is that of the recordings that the model learned from. */"
    rows = zip(members(front_end.channels), front_end.counts_per_unit, strict=True)
    macros = [f"#define {upper}_COUNTS_PER_UNIT_{member.upper()} {literal(counts)}" for member, counts in rows]
    return "\n".join(["/* The integers of a channel: so many for 1 of its unit. */", *macros, ""])


def _timing(front_end: FrontEnd, layout: Layout, upper: str) -> str:
    numbers = {
        "WINDOW": (front_end.longest, "samples of the longest window"),
        "HOP": (layout.hop, "samples from one decision to the next"),
        "FIRST": (layout.ready * layout.hop, "samples until the first decision"),
    }
    rows = [f"    {upper}_{key} = {value}, /* {text} */" for key, (value, text) in numbers.items()]
    rate = f"#define {upper}_RATE_HZ {literal(front_end.rate_hz)} /* samples a second */\n"
    rows[-1] = rows[-1].replace(", /*", " /*")
    return rate + "\n".join(["enum {", *rows, "};\n"])


def _filter_states(layout: Layout) -> list[str]:
    """The types of filters' states, which two models in one program may share."""
    found = {step.filter.name: step.filter.state for step in layout.filters if step.filter.state}
    return [
        f"#ifndef NT_{name.upper()}_STATE\n#define NT_{name.upper()}_STATE\ntypedef struct {{\n"
        + "\n".join(f"    {text.strip()}" for text in state)
        + f"\n}} nt_{name}_state;\n#endif\n"
        for name, state in found.items()
    ]


def _state(fields: tuple[Field, ...], name: str) -> str:
    rows = "\n".join(one.text for one in fields)
    text = "/* All that is kept from sample to sample; read it by the functions below. */"
    return f"{text}\ntypedef struct {{\n{rows}\n}} {name}_state;\n"


CLASS_CODES = """/* What push returns besides classes. */
enum { @UPPER@_NONE = -1, @UPPER@_UNKNOWN = -2 };
"""
VALUE_CODES = """/* What push returns. */
enum { @UPPER@_NONE = -1, @UPPER@_DECIDED = 1 };
"""
FUNCTIONS = """/* Before the first sample, and after a gap. */
void @NAME@_reset(@NAME@_state *s);

/* Takes one sample. */
int @NAME@_push(@NAME@_state *s, const int16_t *sample);

/* 1 if the last push ended a hop with full windows, so that there is a new decision; else 0. */
int @NAME@_decided(const @NAME@_state *s);

/* The features of the last decision. */
const int16_t *@NAME@_features(const @NAME@_state *s);
"""
CLASS_FUNCTIONS = """
/* The class of the last decision alone, without what came before. */
int @NAME@_class(const @NAME@_state *s);

/* What holds since the last event: a class, with that of the background, or unknown; none before the first decision. */
int @NAME@_reported(const @NAME@_state *s);

/* 256 times the logit of each class at the last decision, held within +-32767. */
const int16_t *@NAME@_scores(const @NAME@_state *s);
"""
ONE_CLASS_FUNCTIONS = """
/* 0 if the last decision alone is normal, else @UPPER@_UNKNOWN. */
int @NAME@_class(const @NAME@_state *s);

/* One number: how much nearer to the normal windows than the threshold the last decision is, in 256ths of squared
   standard deviations, held within +-32767; below 0 it is unknown. */
const int16_t *@NAME@_scores(const @NAME@_state *s);
"""
VALUE_FUNCTIONS = """
/* The target at the last decision, in its own unit. */
float @NAME@_value(const @NAME@_state *s);
"""
