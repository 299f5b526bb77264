"""A model that is fed samples: a front end, a tree that reads its features, and a rule that makes events of scores."""

from __future__ import annotations

from dataclasses import dataclass

from neuraltree.signals.event_rule import EventRule
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.tree.tree import Tree


@dataclass(frozen=True)
class SignalModel:
    """``tree`` takes the features of ``front_end``, integers of 16 bits, in their order."""

    front_end: FrontEnd
    tree: Tree
    events: EventRule = EventRule()
