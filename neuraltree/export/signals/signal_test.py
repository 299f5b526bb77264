"""The program that replays a short recording on the machine it is compiled for, and what each decision should be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.compress.formats import c_format
from neuraltree.compress.input_types import in_units, sources
from neuraltree.export.c.bound import tree_bounds
from neuraltree.export.c.parts import FLASH, array, literal
from neuraltree.export.c.vector_program import SAY
from neuraltree.export.signals.signal_layout import Layout
from neuraltree.export.signals.twin import Decisions, checked_samples, linear_topped_classes, stream
from neuraltree.signals.event_rule import SCORE_UNIT
from neuraltree.signals.one_class import OneClassModel
from neuraltree.signals.signal_model import SignalModel
from neuraltree.tree.nodes import IntArray

DECISIONS = 6
MOST_NUMBERS = 6_000  # of the recording


def signal_test_files(
    model: SignalModel | OneClassModel, layout: Layout, name: str, precision: str, recording: NDArray[np.int16] | None
) -> dict[str, str]:
    """``test/NAME_test.c`` and ``test/NAME_vectors.h``; the program returns 0 if all decisions are right."""
    length = (layout.ready + DECISIONS - 1) * layout.hop
    most = max(MOST_NUMBERS // layout.width, layout.ready * layout.hop)
    whole = random_walk(layout.width, length) if recording is None else checked_samples(model, recording)
    samples = whole[: min(length, most)]
    wanted = stream(model, samples, precision)
    if not len(wanted.ends):
        raise ValueError(
            f"the recording has {len(whole)} samples; the first decision needs {layout.ready * layout.hop}"
        )
    exact = c_format(precision).is_integer
    vectors = _vectors(model, samples, wanted, exact)
    has_classes = model.classes is not None
    text = PROGRAM.replace("@DECIDE@", (EXACT if exact else NEAR) if has_classes else VALUE)
    marks = {"NAME": name, "UPPER": name.upper(), "SAMPLES": str(len(samples)), "ROWS": str(len(wanted.ends))}
    for mark, value in marks.items():
        text = text.replace(f"@{mark}@", value)
    return {f"test/{name}_vectors.h": vectors, f"test/{name}_test.c": text}


def random_walk(channels: int, samples: int, seed: int = 0) -> NDArray[np.int16]:
    """(samples, channels) of noise that wanders, with the largest and least numbers now and then."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(samples, channels)) * rng.choice([20.0, 200.0, 2000.0], size=(samples, 1))
    walk = np.cumsum(steps, axis=0) * np.exp(-rng.uniform(0, 3, size=channels))
    walk[rng.random(walk.shape) < 0.002] = 32767
    return np.clip(np.rint(walk), -32767, 32767).astype(np.int16)


def _vectors(model: SignalModel | OneClassModel, samples: NDArray[np.int16], wanted: Decisions, exact: bool) -> str:
    parts = [
        FLASH,
        "/* Samples, and for each decision its features and results. */",
        array("int16_t", "nt_samples", samples.ravel().tolist()),
        array("int16_t", "nt_features", wanted.features.ravel().tolist()),
    ]
    if model.classes is None and isinstance(model, SignalModel):
        _, errors = _bounds(model, wanted.features)
        tolerance = np.zeros(len(wanted.values)) if exact else errors[:, 0]
        parts.append(array("float", "nt_values", [literal(value) for value in wanted.values.tolist()]))
        parts.append(array("float", "nt_tolerance", [literal(min(value, 3e38)) for value in tolerance.tolist()]))
        return "\n".join(parts)
    parts.append(array("int16_t", "nt_scores", wanted.scores.ravel().tolist()))
    if exact or isinstance(model, OneClassModel):
        parts.append(array("int16_t", "nt_classes", wanted.classes.tolist()))
        parts.append(array("int16_t", "nt_events", wanted.events.tolist()))
        return "\n".join(parts)
    assert isinstance(model, SignalModel)  # a model of one class is one of integers
    _, errors = _bounds(model, wanted.features)
    tolerance = np.minimum(np.ceil(errors * SCORE_UNIT) + 1, 32767)
    if model.tree.kind == "binary":
        tolerance = np.hstack([np.zeros_like(tolerance), tolerance])
    parts.append("/* Floats may be rounded apart: by so much at most. */")
    parts.append(array("int16_t", "nt_tolerance", tolerance.astype(int).ravel().tolist()))
    return "\n".join(parts)


def _bounds(model: SignalModel, features: IntArray) -> tuple[NDArray, NDArray]:
    tree = linear_topped_classes(model.tree)
    return tree_bounds(in_units(tree, sources(tree, "int16")), features.astype(np.float64), None)


PROGRAM = f"""/* Compile it with the model and run:
   cc -std=c99 -I. @NAME@.c @NAME@_tree.c test/@NAME@_test.c -o check && ./check */
#include <stdio.h>
#include <string.h>

#include "../@NAME@.h"
#include "@NAME@_vectors.h"

{SAY}
static int is_right(const @NAME@_state *s, int row, int event)
{{
    int i, right = 1;
    for (i = 0; i < @UPPER@_FEATURES; ++i) {{
        const int wanted = NT_READ(word, int16_t, nt_features + row * @UPPER@_FEATURES + i);
        if (@NAME@_features(s)[i] != wanted) {{
            NT_SAY("decision %d: feature %d is %d instead of %d\\n", row, i, @NAME@_features(s)[i], wanted);
            right = 0;
        }}
    }}
@DECIDE@    return right;
}}

int main(void)
{{
    static @NAME@_state state;
    long i;
    int row = 0, good = 0;
    @NAME@_reset(&state);
    for (i = 0; i < @SAMPLES@; ++i) {{
        int16_t sample[@UPPER@_CHANNELS];
        int event;
        NT_COPY(sample, nt_samples + i * @UPPER@_CHANNELS, sizeof sample);
        event = @NAME@_push(&state, sample);
        if (@NAME@_decided(&state)) {{
            good += row < @ROWS@ && is_right(&state, row, event);
            ++row;
        }}
    }}
    NT_SAY("%d of @ROWS@ decisions are right\\n", good);
    return row != @ROWS@ || good != @ROWS@;
}}
"""
SCORES = """    for (i = 0; i < @UPPER@_CLASSES; ++i) {
        const long wanted = NT_READ(word, int16_t, nt_scores + row * @UPPER@_CLASSES + i);
        const long off = @NAME@_scores(s)[i] - wanted;
        const long tolerance = @TOLERANCE@;
        if (off > tolerance || -off > tolerance) {
            NT_SAY("decision %d: score %d is %d\\n", row, i, @NAME@_scores(s)[i]);
            right = 0;
        }
    }
"""
NEAR = "    (void)event;\n" + SCORES.replace(
    "@TOLERANCE@", "NT_READ(word, int16_t, nt_tolerance + row * @UPPER@_CLASSES + i)"
)
EXACT = (
    SCORES.replace("@TOLERANCE@", "0")
    + """    if (@NAME@_class(s) != NT_READ(word, int16_t, nt_classes + row)) {
        NT_SAY("decision %d: class %d\\n", row, @NAME@_class(s));
        right = 0;
    }
    if (event != NT_READ(word, int16_t, nt_events + row)) {
        NT_SAY("decision %d: event %d\\n", row, event);
        right = 0;
    }
"""
)
VALUE = """    {
        const float off = @NAME@_value(s) - NT_READ(float, float, nt_values + row);
        const float tolerance = NT_READ(float, float, nt_tolerance + row);
        if (!(off <= tolerance && -off <= tolerance) || event != @UPPER@_DECIDED) {
            NT_SAY("decision %d: value %.9g\\n", row, (double)@NAME@_value(s));
            right = 0;
        }
    }
"""
