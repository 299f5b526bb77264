"""What differs in the code if some of the nodes are trained."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neuraltree.export.c.parts import array, literal
from neuraltree.export.c.training.device_step import places
from neuraltree.export.c.training.partial_text import INPUTS_AT, LIVE, PATH, TRAINED, WEIGHT
from neuraltree.export.head import flags
from neuraltree.export.order import Step, steps
from neuraltree.tree.tree import Tree
from neuraltree.updating.training_state import Live, TrainingState


@dataclass(frozen=True)
class Part:
    """``live`` (nodes,): the nodes that are trained; one at least, but not all."""

    tree: Tree
    live: Live

    @cached_property
    def _state(self) -> TrainingState:
        return TrainingState(self.tree.nodes)

    @cached_property
    def paths(self) -> Live:
        """(nodes,) the nodes whose slope is needed."""
        return self._state.on_paths(self.live)

    @property
    def kept(self) -> int:
        """The nodes that the backward pass visits."""
        return int(np.count_nonzero(self._state.visited(self.live)))

    @property
    def trained(self) -> int:
        """The trained weights."""
        return self._state.trained_weights(self.live)

    @property
    def fixed(self) -> int:
        """The weights that are constants."""
        return self.tree.num_weights - self.trained

    def codes(self, order: list[Step]) -> list[int]:
        """Two numbers for each node in order of evaluation."""
        edges = self._state.trained_edges(self.live)
        found = []
        for step in order:
            at = step.node
            reach = (len(step.leaves) << INPUTS_AT) + WEIGHT * int(edges[at]) + PATH * int(self.paths[at])
            found += [flags(step) + LIVE * int(self.live[at]), reach]
        return found

    def constants(self) -> str:
        """The table of all weights that are not trained, in order of evaluation."""
        here = set(places(self.tree.nodes, live=self.live))
        others = [place for place in places(self.tree.nodes) if place not in here]
        values = [literal(self.tree.nodes[field][node, 0]) for field, node in others]
        return "/* The weights that are not trained. */\n" + array("float", "nt_fixed", values)

    def header_fields(self) -> dict[str, object]:
        positions = ", ".join(map(str, np.flatnonzero(self.live).tolist()))
        said = TRAINED.replace("@LIVE@", positions).replace("@FIXED@", str(self.fixed))
        return {"PARAMETERS": self.trained, "NODES": self.kept, "TRAINED": said}

    def source_fields(self) -> dict[str, object]:
        return {"PARAMETERS": self.trained, "KEPT": self.kept, "FIXED": self.fixed}

    def sloped(self) -> set[int]:
        """The activations whose slopes are needed."""
        return {step.code for step in steps(self.tree.nodes) if self.paths[step.node]}
