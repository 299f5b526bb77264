"""Streaming C as a Zephyr module, with a sample application that feeds samples."""

from __future__ import annotations

from neuraltree.compress.formats import c_format
from neuraltree.export.packages.zephyr import PRINTS_FLOATS, module_files
from neuraltree.export.signals.packages.signal_example import Streaming, event_rows, example, streaming
from neuraltree.signals.signal_model import SignalModel

MAIN = """@HEAD@
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include "@NAME@.h"

static @NAME@_state state;

// Put a reading in place of each number, in the integers of the recordings that the model learned from.
static void read_sample(int16_t *sample)
{
@FILL@
}

int main(void)
{
    struct k_timer timer;
    int16_t sample[@UPPER@_CHANNELS];
    k_timer_init(&timer, NULL, NULL);
    k_timer_start(&timer, K_USEC(@PERIOD@), K_USEC(@PERIOD@));
    @NAME@_reset(&state);
    for (;;) {
        k_timer_status_sync(&timer);
        read_sample(sample);
@PRINT@
    }
    return 0;
}
"""
SWITCH = """        switch (@NAME@_push(&state, sample)) {
@CASES@
        default:
            break;
        }"""
CASE = """        case {place}:
            printk("%s\\n", {text});
            break;"""
VALUE = """        if (@NAME@_push(&state, sample) == @UPPER@_DECIDED) {
            printk("%.6g\\n", (double)@NAME@_value(&state));
        }"""


def export_signal_zephyr(
    model: SignalModel, name: str = "model", *, precision: str = "float32", style: str = "straight"
) -> dict[str, str]:
    """The texts of the files by file name; the options are those of ``export_signal``."""
    made = streaming(model, name, precision, style)
    config = PRINTS_FLOATS * (model.tree.classes is None)
    frame = module_files(name, made.text, list(made.sources), "stream", config, c_format(precision).is_integer)
    return {
        **{f"include/{file}": text for file, text in made.headers.items()},
        **{f"src/{file}": text for file, text in made.sources.items()},
        **frame,
        "samples/stream/src/main.c": _main(made),
    }


def _main(made: Streaming) -> str:
    cases = "\n".join(CASE.format(place=place, text=text) for place, text in event_rows(made))
    return example(MAIN, made, PRINT=example(SWITCH if cases else VALUE, made, CASES=cases))
