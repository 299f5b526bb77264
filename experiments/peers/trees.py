"""Our search, and random search with the same training: every generation consists of new random trees.

Both judge their fronts afresh within the budget, as a run does, and promise honest errors.
"""

from __future__ import annotations

from dataclasses import replace

from experiments.common.fronts import front, judged, tested
from experiments.peers.arena import WORST, Arena, Clock, Found, Member, first_lap_excess
from experiments.peers.cold import cold_start
from experiments.studies.selection.run import at_random
from search.engine.evolution_step import generations
from search.runs.progress import Phases

SEARCHED = 0.95  # of the budget; the judgement takes about 0.4 of the 12 s


def evolved(arena: Arena) -> Found:
    """Hypervolume selection over four folds, with inherited weights."""
    search = arena.search
    with cold_start():
        clock, coming = (
            Clock(SEARCHED * arena.budget_s),
            generations(search.setup.problem, search.setup.strategy, Phases()),
        )
        state, _ = next(coming)
        laps = [clock.spent]
        while clock.running:
            state, _ = next(coming)
            laps.append(clock.spent)
        found = judged(search, state, front(state.members))
        spent = clock.spent
        models = tested(search, state, found)
    members = [
        Member(model.promised, min(WORST, 1.0 - model.test_score), tree.num_weights, tree.num_weights, tree.num_nodes)
        for model in models
        for tree in (model.tree,)
    ]
    return Found(members, state.evaluations, spent, first_lap_excess(laps))


def random_search(arena: Arena) -> Found:
    return evolved(replace(arena, search=at_random(arena.search)))
