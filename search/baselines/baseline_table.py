"""The table of baselines, one row each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from search.baselines.baseline_cost import Costs, network_costs, no_costs
from search.baselines.baseline_models import Sample
from search.baselines.make import Made, cart, linear, mlp
from search.baselines.prune import pruned_mlp


class Row(NamedTuple):
    """A baseline: one model, or one model of each of ``sizes``. Each model counts its weights (``baseline_models``).

    ``make(sample, penalty, seed)`` fits it. ``penalties`` begin with that of the simplest model; the run takes the one
    with the lowest validation error. ``cost(problem, kind, model)``: the costs on the run's device, {} if it has none.
    """

    name: str
    label: str
    penalties: tuple[float, ...]
    make: Callable[[Sample, float, int], Made]
    cost: Callable[[Any, str, Any], Costs]
    sizes: tuple[int, ...] = ()

    @property
    def names(self) -> dict[int, str]:
        """The name of every size in ``baselines.csv``."""
        return {size: f"{self.name}_{size}" for size in self.sizes} or {0: self.name}

    def labelled(self, size: int) -> str:
        return f"{self.label} ({size})" if size else self.label


LINEAR_PENALTIES = (1000.0, 100.0, 10.0, 1.0, 0.1, 0.01)
MLP_PENALTIES = (1.0, 0.1, 1e-4)
CART_PENALTIES = (0.1, 0.03, 0.01, 0.003, 0.001, 3e-4, 0.0)
PRUNED = (250, 120, 60, 30)

BASELINES: tuple[Row, ...] = (
    Row("linear", "linear model", LINEAR_PENALTIES, linear, network_costs),
    Row("mlp_8", "MLP (8)", MLP_PENALTIES, partial(mlp, hidden=8), network_costs),
    Row("mlp_100", "MLP (100)", MLP_PENALTIES, partial(mlp, hidden=100), network_costs),
    Row("pruned_mlp", "pruned MLP", MLP_PENALTIES, partial(pruned_mlp, sizes=PRUNED), network_costs, PRUNED),
    Row("cart", "CART", CART_PENALTIES, cart, no_costs),
)

BY_NAME: dict[str, Row] = {row.name: row for row in BASELINES}
NAMES: tuple[str, ...] = tuple(BY_NAME)
