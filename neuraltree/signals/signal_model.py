"""A model that is fed samples: a front end, a tree that reads its features, and a rule that makes events of scores."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from msgspec import Meta, Struct, ValidationError, to_builtins

from neuraltree.signals.event_rule import EventRule
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.rejection import Rejection
from neuraltree.storing import read, store
from neuraltree.structs import to_struct
from neuraltree.tree import model_files
from neuraltree.tree.model_files import FileError
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree

FORMAT = "neuraltree-signal-v1"


NO_RULE = EventRule()


@dataclass(frozen=True)
class SignalModel:
    """``tree`` takes the features of ``front_end``, integers of 16 bits, in their order. ``rejection``: what makes a
    window unknown whatever its scores. ``ValueError`` if the parts do not fit together; the message says how."""

    front_end: FrontEnd
    tree: Tree
    events: EventRule = NO_RULE
    rejection: Rejection | None = None

    def __post_init__(self) -> None:
        tree, names, classes = self.tree, self.front_end.features, len(self.tree.classes or ())
        if tree.columns is not None or tree.features != tuple(names):
            raise ValueError(
                f"the tree takes {_few(tree.features)}, the front end makes {_few(names)}; a model needs a tree of "
                "the front end's features, in their order and without columns"
            )
        if len(self.front_end.counts_per_unit) not in (0, len(self.front_end.channels)):
            raise ValueError("counts_per_unit needs one number for each channel, or none at all")
        if not classes and (self.events != NO_RULE or self.rejection is not None):
            raise ValueError("a regression has no events and no rejection; leave both out")
        if classes and self.events.background >= classes:
            raise ValueError(f"the background is class {self.events.background}, of 0 to {classes - 1}")
        if self.rejection is not None and max(self.rejection.places) >= len(names):
            raise ValueError(f"the rejection looks at feature {max(self.rejection.places)}, of 0 to {len(names) - 1}")

    @property
    def classes(self) -> tuple[str | float, ...] | None:
        """Those of the tree; None for a regression."""
        return self.tree.classes

    @property
    def features_read(self) -> tuple[int, ...]:
        """The positions of the features that a leaf reads, in order."""
        op = self.tree.nodes["op"]
        return tuple(np.unique(op[op >= 0]).tolist())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to the file ``path``, and create its folder if needed; see ``load``."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        store({target: dumps(self)})


def _few(names: Sequence[str]) -> str:
    return f"{len(names)} features ({', '.join(map(str, names[:3]))}{', ...' if len(names) > 3 else ''})"


def reduced(model: SignalModel) -> SignalModel:
    """The same model with only the features that its tree reads; one with a rejection, which reads all, as it is."""
    kept = list(model.features_read)
    if model.rejection is not None or not kept or len(kept) == len(model.front_end.features):
        return model
    tree, nodes = model.tree, model.tree.nodes.copy()
    leaf = nodes["op"] >= 0
    nodes["op"][leaf] = np.searchsorted(kept, nodes["op"][leaf])
    names = tuple(model.front_end.features[i] for i in kept)
    narrowed = replace(
        tree,
        nodes=nodes,
        features=names,
        scaler=None if tree.scaler is None else Scaler(tree.scaler.mean[kept], tree.scaler.scale[kept]),
        input_range=None if tree.input_range is None else tree.input_range[kept],
        input_middle=None if tree.input_middle is None else tree.input_middle[kept],
    )
    return replace(model, front_end=replace(model.front_end, features=names), tree=narrowed)


class _File(Struct, forbid_unknown_fields=True):
    """``tree``: as in a file of its own; its features are those of the front end."""

    format: Literal["neuraltree-signal-v1"]
    channels: list[str]
    rate_hz: float
    hop: Annotated[int, Meta(ge=1)]
    tree: dict[str, Any]
    groups: dict[str, list[str]] = {}
    counts_per_unit: list[float] = []
    events: dict[str, int] = {}
    rejection: Rejection | None = None


def dumps(model: SignalModel) -> str:
    """The model as JSON text, the same for the same model; every number is exact."""
    front_end = model.front_end
    head: dict[str, Any] = {
        "format": FORMAT,
        "channels": front_end.channels,
        "rate_hz": front_end.rate_hz,
        "hop": front_end.hop,
        "groups": front_end.groups,
        "counts_per_unit": front_end.counts_per_unit,
        "events": asdict(model.events),
    }
    if model.rejection is not None:
        head["rejection"] = to_builtins(model.rejection)
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    return "{\n" + ",\n".join(lines) + ',\n"tree": ' + model_files.dumps(model.tree).rstrip() + "}\n"


def load(path: str | os.PathLike[str]) -> SignalModel:
    """Read the model in a file; ``FileError`` if it is none, or one that cannot be computed."""
    try:
        return loads(read(Path(path)).decode())
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise FileError(f"{path}: {error}") from None


def loads(text: str) -> SignalModel:
    """Read the model in a JSON text; ``FileError`` says what is wrong."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(f"not JSON: {error}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise FileError(f'no model of signals: its key "format" must be "{FORMAT}"')
    try:
        file = to_struct(data, _File)
        tree = model_files.loads(json.dumps(file.tree))
        groups = {name: tuple(channels) for name, channels in file.groups.items()}
        channels, counts = tuple(file.channels), tuple(file.counts_per_unit)
        front_end = FrontEnd(channels, file.rate_hz, file.hop, tree.features, groups, counts)
        return SignalModel(front_end, tree, EventRule(**file.events), file.rejection)
    except (ValidationError, TypeError, ValueError) as error:
        raise FileError(str(error)) from None
