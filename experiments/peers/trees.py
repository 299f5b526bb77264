"""Our search, and random search with the same training: every generation consists of new random trees."""

from __future__ import annotations

from dataclasses import replace

from experiments.common.fronts import front, tested
from experiments.peers.arena import WORST, Arena, Clock, Found, Member, first_lap_excess
from experiments.peers.cold import cold_start
from experiments.studies.selection.run import at_random
from search.engine.evolution_step import generations
from search.runs.progress import Phases


def evolved(arena: Arena) -> Found:
    """Hypervolume selection over four folds, with inherited weights; compiling is counted."""
    search = arena.search
    with cold_start():
        clock, coming = Clock(arena.budget_s), generations(search.setup.problem, search.setup.strategy, Phases())
        state, _ = next(coming)
        laps = [clock.spent]
        while clock.running:
            state, _ = next(coming)
            laps.append(clock.spent)
        models = tested(search, state, front(state.members))
    members = [
        Member(model.val_error, min(WORST, 1.0 - model.test_score), tree.num_weights, tree.num_weights, tree.num_nodes)
        for model in models
        for tree in (model.tree,)
    ]
    return Found(members, state.evaluations, laps[-1], first_lap_excess(laps))


def random_search(arena: Arena) -> Found:
    return evolved(replace(arena, search=at_random(arena.search)))
