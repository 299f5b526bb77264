"""A model of normal samples as C99: the same functions as those of a model with a tree, and no tree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.export.names import check_name
from neuraltree.export.signals.event_code import event_function
from neuraltree.export.signals.replay_program import replay_text
from neuraltree.export.signals.signal_header import header
from neuraltree.export.signals.signal_layout import layout_of
from neuraltree.export.signals.signal_library import source_text
from neuraltree.export.signals.signal_test import signal_test_files
from neuraltree.export.signals.table_functions import alone
from neuraltree.signals.one_class import OneClassModel

PRECISION = "int8"  # all is in integers


def export_one_class(
    model: OneClassModel, name: str = "model", *, recording: NDArray[np.int16] | None = None
) -> dict[str, str]:
    """The texts of the files by file name: ``NAME.h`` and ``NAME.c``, a self-test and a program that replays
    recordings; see ``export_signal``. Class 0 is normal, and what is not is ``NAME_UNKNOWN``."""
    check_name(name)
    layout = layout_of(model.front_end, range(len(model.front_end.features)))
    decide = DECIDE.replace("@THRESHOLD@", str(model.distance.threshold))
    deciding = [alone(model.distance.distance_text()), event_function(model.events, 1, rejects=False), decide]
    source = source_text(layout, [], deciding, has_classes=True)
    files = {
        f"{name}.h": header(model, layout, name, "integers"),
        f"{name}.c": source.replace("@NAME@", name).replace("@UPPER@", name.upper()),
        **signal_test_files(model, layout, name, PRECISION, recording),
        f"test/{name}_replay.c": replay_text(model, layout, name),
    }
    return {file: text.replace(f" {name}_tree.c", "") for file, text in files.items()}


DECIDE = """/* A decision: features, how much nearer than the threshold they are, and the event. */
NT_CALL int nt_decide(@NAME@_state *s)
{
@WINDOWS@    s->scores[0] = (int16_t)nt_limit(INT32_C(@THRESHOLD@) - nt_distance(s->features));
    s->best = s->scores[0] < 0 ? @UPPER@_UNKNOWN : 0;
    return nt_event(s);
}
"""
