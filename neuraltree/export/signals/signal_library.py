"""A model that is fed samples as C99: its own library over that of its tree, with a self-test and a replay program."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.export.c.library import export_c
from neuraltree.export.c.parts import MACROS
from neuraltree.export.names import check_name
from neuraltree.export.signals import push_code
from neuraltree.export.signals.event_code import event_function
from neuraltree.export.signals.replay_program import replay_text
from neuraltree.export.signals.signal_header import header
from neuraltree.export.signals.signal_layout import Layout, layout_of
from neuraltree.export.signals.signal_test import signal_test_files
from neuraltree.export.signals.table_functions import alone, function_texts, shared_texts
from neuraltree.export.signals.twin import Scorer, linear_topped_classes
from neuraltree.signals.signal_model import SignalModel, reduced


def export_signal(
    model: SignalModel,
    name: str = "model",
    *,
    precision: str = "float32",
    style: str = "straight",
    recording: NDArray[np.int16] | None = None,
) -> dict[str, str]:
    """The texts of the files by file name: ``NAME.h`` and ``NAME.c``, the tree's ``NAME_tree.h`` and ``NAME_tree.c``,
    and below ``test/`` a self-test and a program that replays recordings.

    ``precision`` and ``style``: of the tree, see ``export_c``; features are integers in any case. ``recording``
    (samples, channels) int16: what the self-test replays the beginning of, by default a random walk. ``ValueError`` for
    anything that C cannot express.
    """
    check_name(name)
    tree_name = check_name(f"{name}_tree")
    model = reduced(model)
    has_classes = model.tree.classes is not None
    tree = linear_topped_classes(model.tree)
    files = export_c(tree, tree_name, precision=precision, style=style, inputs="int16", scores=has_classes)
    layout = layout_of(model.front_end, computed(model, precision))
    own = {
        f"{name}.h": header(model, layout, name, precision),
        f"{name}.c": _source(model, layout).replace("@NAME@", name).replace("@UPPER@", name.upper()),
    }
    tree_files = {file: text for file, text in files.items() if not file.startswith("test/")}
    tests = signal_test_files(model, layout, name, precision, recording)
    return own | tree_files | tests | {f"test/{name}_replay.c": replay_text(model, layout, name)}


def computed(model: SignalModel, precision: str) -> tuple[int, ...]:
    """The positions of the features that the code computes: those that the tree reads in this precision."""
    if model.rejection is not None:
        return tuple(range(len(model.front_end.features)))
    return Scorer.make(model, precision).reads


def _source(model: SignalModel, layout: Layout) -> str:
    has_classes = model.tree.classes is not None
    deciding = [] if model.rejection is None else [alone(model.rejection.c_text())]
    if has_classes:
        deciding = [*deciding, event_function(model.events, len(model.tree.classes or ()), bool(deciding))]
    deciding.append(CLASSES if has_classes else VALUE)
    return source_text(layout, ['#include "@NAME@_tree.h"\n'], deciding, has_classes)


def source_text(layout: Layout, includes: list[str], deciding: list[str], has_classes: bool) -> str:
    """``NAME.c``, with marks for the name. ``deciding``: what ``nt_decide`` is and calls; in it ``@WINDOWS@`` is where
    features are computed."""
    windows = [push_code.window_function(layout, i, one) for i, one in enumerate(layout.windows)]
    calls = "".join(f"    nt_window{i}(s);\n" for i in range(len(windows)))
    parts = [
        "".join(['#include "@NAME@.h"\n', *includes]),
        MACROS,
        *shared_texts(layout),
        *function_texts(layout),
        *push_code.constants(layout),
        push_code.sample_function(layout),
        *windows,
        push_code.next_function(layout),
        *(text.replace("@WINDOWS@", calls) for text in deciding),
        PUSH.replace("@HOP@", str(layout.hop)).replace("@READY@", str(layout.ready)),
        RESET.replace("@FIRST@", "".join(f"    {line}\n" for line in reset_lines(layout, has_classes))),
        ACCESS,
        ACCESS_CLASSES if has_classes else ACCESS_VALUE,
    ]
    return "\n".join(parts).replace("@READY@", str(layout.ready))


def reset_lines(layout: Layout, has_classes: bool) -> list[str]:
    """The statements that make a state of zeros ready for the first sample."""
    return [*push_code.first_values(layout), *(["s->current = @UPPER@_NONE;"] if has_classes else [])]


CLASSES = """/* A decision: features, scores, and the event. */
NT_CALL int nt_decide(@NAME@_state *s)
{
@WINDOWS@    s->best = (int16_t)@NAME@_tree_scores(s->features, s->scores);
    return nt_event(s);
}
"""
VALUE = """/* A decision: features, and the target. */
NT_CALL int nt_decide(@NAME@_state *s)
{
@WINDOWS@    s->value = @NAME@_tree_predict(s->features);
    return @UPPER@_DECIDED;
}
"""
PUSH = """/* The end of a hop. */
NT_CALL int nt_hop(@NAME@_state *s)
{
    int event = @UPPER@_NONE;
    s->filled = 0;
    if (s->hops < @READY@) {
        ++s->hops;
    }
    if (s->hops == @READY@) {
        event = nt_decide(s);
    }
    nt_next(s);
    return event;
}

NT_PUBLIC int @NAME@_push(@NAME@_state *s, const int16_t *sample)
{
    nt_take(s, sample, s->filled == 0 && s->hops == 0);
    if (++s->filled < @HOP@) {
        return @UPPER@_NONE;
    }
    return nt_hop(s);
}
"""
RESET = """NT_PUBLIC void @NAME@_reset(@NAME@_state *s)
{
    unsigned char *byte = (unsigned char *)s;
    unsigned char *const end = (unsigned char *)(s + 1);
    NT_LOOP
    for (; byte != end; ++byte) {
        *byte = 0;
        NT_FENCE;
    }
@FIRST@}
"""
ACCESS = """NT_PUBLIC int @NAME@_decided(const @NAME@_state *s)
{
    return s->filled == 0 && s->hops == @READY@;
}

NT_PUBLIC const int16_t *@NAME@_features(const @NAME@_state *s)
{
    return s->features;
}
"""
ACCESS_CLASSES = """NT_PUBLIC int @NAME@_class(const @NAME@_state *s)
{
    return s->best;
}

NT_PUBLIC int @NAME@_reported(const @NAME@_state *s)
{
    return s->current;
}

NT_PUBLIC const int16_t *@NAME@_scores(const @NAME@_state *s)
{
    return s->scores;
}
"""
ACCESS_VALUE = """NT_PUBLIC float @NAME@_value(const @NAME@_state *s)
{
    return s->value;
}
"""
