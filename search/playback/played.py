"""What a model decides for recordings, in Python or by its exported C."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.compress.formats import c_format
from neuraltree.export.signals.twin import Decisions, stream
from neuraltree.signals.event_rule import Course
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.one_class import OneClassModel
from neuraltree.signals.recordings.recording import Recording, Recordings
from neuraltree.signals.recordings.sample_counts import to_counts
from neuraltree.signals.recordings.subsets import with_channels, with_classes
from neuraltree.signals.signal_model import SignalModel
from neuraltree.signals.windows import window_labels
from neuraltree.tree.nodes import IntArray
from search.errors import InputError


class Played(NamedTuple):
    """One recording: ``counts`` (samples, channels) int16 that went in, the ``decisions``, the ``course`` of reports,
    and the ``labels`` (decisions,) as places in the classes of the model, -1 for none."""

    recording: Recording
    counts: NDArray[np.int16]
    decisions: Decisions
    course: Course
    labels: IntArray


class LabelRule(NamedTuple):
    """How a decision gets its label, see ``window_labels``."""

    window: int
    rule: str = "majority"
    share: float = 0.5


def check_recordings(model: SignalModel, recordings: Recordings) -> Recordings:
    """The recordings with the channels and classes of the model, in its order; labels that are no class count as none,
    which a note says.

    ``InputError`` if channels are missing, or the rate is another.
    """
    found = of_channels(model.front_end, recordings)
    classes = [str(label) for label in model.classes or ()]
    unknown = [name for name in found.classes if name not in classes] if classes else []
    notes = [f"labels that are no class of the model count as none: {', '.join(unknown)}"] if unknown else []
    return replace(with_classes(found, classes), notes=(*found.notes, *notes))


def of_channels(front: FrontEnd, recordings: Recordings) -> Recordings:
    """The recordings with the channels of a front end, in its order; ``InputError`` if one is missing, or the rate is
    another."""
    missing = [name for name in front.channels if name not in recordings.channels]
    if missing:
        raise InputError(
            f"the model reads the channel {missing[0]!r}, and the recordings have {', '.join(recordings.channels)}"
        )
    if abs(recordings.rate_hz / front.rate_hz - 1) > 0.01:
        raise InputError(f"the model takes {front.rate_hz:g} samples a second, not {recordings.rate_hz:g}")
    return with_channels(recordings, front.channels)


def played(
    model: SignalModel | OneClassModel, recordings: Recordings, precision: str, labelled: LabelRule
) -> list[Played]:
    """Each recording from a reset on, by the twin of the code in NumPy."""
    found = []
    for one in recordings.recordings:
        counts = to_counts(one.samples, model.front_end.counts_per_unit)
        made = stream(model, counts, precision)
        labels = window_labels(one.labels, made.ends, *labelled)
        found.append(Played(one, counts, made, Course(made.events, made.reported), labels))
    return found


def differences(files: Mapping[str, str], plays: Sequence[Played], precision: str) -> list[str]:
    """Where the exported C in ``files`` decides otherwise than Python: a line for each recording that differs.

    Scores of float code may differ by 1, as its sums are rounded otherwise. ``MeasureError`` if this machine has no
    compiler.
    """
    from neuraltree.hardware.signals.replay import replay_all

    most = {"scores": 0 if c_format(precision).is_integer else 1}
    found = []
    for one, other in zip(plays, replay_all(files, [one.counts for one in plays]), strict=True):
        for name in ("ends", "features", "scores", "classes", "events", "reported"):
            own, theirs = (np.asarray(getattr(each, name), dtype=np.int64) for each in (one.decisions, other))
            if own.shape != theirs.shape or (np.abs(own - theirs) > most.get(name, 0)).any():
                found.append(f"{one.recording.name}: {name} differ")
                break
    return found
