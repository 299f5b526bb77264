"""A program for the host that feeds recordings to a model and says what it decided."""

from __future__ import annotations

from neuraltree.export.signals.signal_layout import Layout
from neuraltree.signals.one_class import OneClassModel
from neuraltree.signals.signal_model import SignalModel


def replay_text(model: SignalModel | OneClassModel, layout: Layout, name: str) -> str:
    """C that reads samples, int16_t in the host's order of bytes, from its standard input.

    It prints a line for each decision. With any argument it writes ``record_fields`` of each in the host's order.
    """
    has_classes = model.classes is not None
    marks = {
        "SHOWN": SHOWN if has_classes else SHOWN_VALUE,
        "FIELDS": FIELDS if has_classes else FIELDS_VALUE,
        "NAME": name,
        "UPPER": name.upper(),
        "FEATURES": str(layout.num_features),
        "CLASSES": str(len(model.classes or ())),
    }
    text = PROGRAM
    for mark, value in marks.items():
        text = text.replace(f"@{mark}@", value)
    return text


PROGRAM = """/* Replays a recording:
   cc -O2 -I. @NAME@.c @NAME@_tree.c test/@NAME@_replay.c -o replay && ./replay < samples */
#include <stdio.h>
#include <string.h>

#include "../@NAME@.h"

#define NT_SAMPLES 4096

static void write_number(FILE *out, const void *number, size_t size)
{
    (void)fwrite(number, size, 1, out);
}

int main(int count, char **words)
{
    static int16_t samples[NT_SAMPLES][@UPPER@_CHANNELS];
    static @NAME@_state state;
    uint64_t end = 0;
    size_t found;
    (void)words;
    @NAME@_reset(&state);
    while ((found = fread(samples, sizeof samples[0], NT_SAMPLES, stdin)) > 0) {
        for (size_t i = 0; i < found; ++i) {
            const int event = @NAME@_push(&state, samples[i]);
            ++end;
            if (!@NAME@_decided(&state)) {
                continue;
            }
            if (count > 1) {
                write_number(stdout, &end, sizeof end);
                write_number(stdout, @NAME@_features(&state), @FEATURES@ * sizeof(int16_t));
@FIELDS@            } else {
@SHOWN@            }
        }
    }
    return 0;
}
"""
FIELDS = """                {
                    const int answers[3] = {@NAME@_class(&state), event, @NAME@_reported(&state)};
                    write_number(stdout, @NAME@_scores(&state), @CLASSES@ * sizeof(int16_t));
                    write_number(stdout, answers, sizeof answers);
                }
"""
FIELDS_VALUE = """                {
                    const float value = @NAME@_value(&state);
                    (void)event;
                    write_number(stdout, &value, sizeof value);
                }
"""
SHOWN = """                printf("%llu %d %d", (unsigned long long)end, @NAME@_class(&state), event);
                for (int k = 0; k < @CLASSES@; ++k) {
                    printf(" %d", @NAME@_scores(&state)[k]);
                }
                printf("\\n");
"""
SHOWN_VALUE = """                printf("%llu %.9g\\n", (unsigned long long)end, (double)@NAME@_value(&state));
                (void)event;
"""


def record_fields(num_features: int, classes: int) -> list[tuple[str, str, tuple[int, ...]]]:
    """The fields of a binary record, as NumPy's types have them; ``classes``: 0 for a regression."""
    found: list[tuple[str, str, tuple[int, ...]]] = [("end", "u8", ()), ("features", "i2", (num_features,))]
    if not classes:
        return [*found, ("value", "f4", ())]
    return [*found, ("scores", "i2", (classes,)), *((name, "i4", ()) for name in ("class", "event", "reported"))]
