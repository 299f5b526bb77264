"""What each of two devices takes: the node's inputs or columns, the gateway's, and where each stands in the whole."""

from __future__ import annotations

from dataclasses import dataclass

from neuraltree.compress.int8.stages import MixedStage
from neuraltree.compress.splitting.halves import Halves, Stage
from neuraltree.export.c.argument import Argument, argument_of
from neuraltree.export.needed import Read, needed, reads
from neuraltree.inputs.encoders import Column

NODE, GATEWAY = "node", "gateway"


@dataclass(frozen=True)
class Side:
    """``places``: the positions of its inputs in ``whole``, the argument of the function that does both. ``stage``: of
    the features that it reads, and ``read`` what these are if they come from ``columns``."""

    part: str
    whole: Argument
    places: tuple[int, ...]
    columns: tuple[Column, ...] | None
    read: tuple[Read, ...]
    stage: Stage

    @property
    def argument(self) -> Argument:
        whole = self.whole
        inputs, labels = tuple(whole.inputs[i] for i in self.places), tuple(whole.labels[i] for i in self.places)
        return Argument(f"{whole.name}_{self.part}", inputs, labels)

    @property
    def raw_bytes(self) -> list[int]:
        """The bytes of each input that it reads, as its device has them."""
        used = sorted({each.column for each in self.read}) if self.columns else self.stage.features.tolist()
        return [self.argument.inputs[i].row.size_bytes for i in used]


def sides_of(halves: Halves, name: str) -> tuple[Side, Side]:
    """The node and the gateway; ``name``: of the C functions."""
    tree = needed(halves.model)
    whole = argument_of(tree, name, halves.inputs)
    read = () if tree.columns is None else reads(tree)[1]
    assert isinstance(halves.node.inputs, Stage)
    return (
        _side(NODE, whole, tree.columns, read, halves.own, halves.node.inputs),
        _side(GATEWAY, whole, tree.columns, read, halves.others, halves.gateway_inputs),
    )


def _side(
    part: str,
    whole: Argument,
    columns: tuple[Column, ...] | None,
    read: tuple[Read, ...],
    features: tuple[int, ...],
    stage: Stage,
) -> Side:
    if columns is not None:
        places = tuple(sorted({read[i].column for i in features}))
        of = [read[features[i]] for i in stage.features.tolist()]
        own = tuple(each._replace(column=places.index(each.column)) for each in of)
        columns = tuple(columns[i] for i in places)
    else:
        places, own = features, ()
    if isinstance(stage, MixedStage) and not any(whole.inputs[i].row.is_integer for i in places):
        stage = stage.floats  # the whole takes integers, and this side none: its code is that of floats
    return Side(part, whole, places, columns, own, stage)
