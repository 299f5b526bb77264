"""Published scores on the 14 tables (Ojha and Nicosia, BNeuralT), recomputed from the authors' raw result files.

Columns are in the order of ``paper_tables.TABLES``. Both papers used 30 unseeded, unstratified 80/20 hold-outs and
scaled inputs on all rows.
"""

from __future__ import annotations

from typing import NamedTuple

from experiments.common.paper_tables import TABLES


class Published(NamedTuple):
    """Mean scores over 30 runs: by table if known, and over the 9 and the 5 tables, as are ``weights``."""

    label: str
    protocol: str
    classification: float
    regression: float
    weights: tuple[float, float] | None = None
    by_table: tuple[float, ...] = ()

    @property
    def scores(self) -> dict[str, float]:
        return dict(zip(TABLES, self.by_table, strict=True)) if self.by_table else {}


MLP_WEIGHTS = (1969.6, 1041.0)

# fmt: off
PUBLISHED: tuple[Published, ...] = (
    Published(
        "random tree, RMSprop, leaf probability .4", "reference", 0.8907, 0.7274, (261.3, 152.4),
        (.895, .897, .952, .822, .986, .992, .991, .750, .732, .665, .837, .492, .776, .867),
    ),
    Published(
        "MLP (100), Adam", "reference", 0.8635, 0.7717, MLP_WEIGHTS,
        (.876, .833, .882, .774, .984, .972, .991, .826, .635, .721, .829, .490, .943, .874),
    ),
    Published(
        "MLP (100), Nesterov", "reference", 0.8646, 0.7748, MLP_WEIGHTS,
        (.867, .841, .906, .776, .983, .981, .994, .813, .619, .710, .840, .506, .949, .870),
    ),
    Published("random tree, RMSprop, leaf probability .5", "reference", 0.8882, 0.6755, (157.0, 85.0)),
    Published("random tree, RMSprop, leaf probability .5", "honest", 0.8315, 0.6457, (154.0, 80.0)),
    Published(
        "MLP (100), Adam", "honest", 0.8556, 0.7489, MLP_WEIGHTS,
        (.857, .781, .908, .769, .963, .968, .984, .828, .641, .658, .826, .450, .941, .869),
    ),
    Published(
        "Gaussian process", "honest", 0.8680, 0.6953, None,
        (.861, .820, .916, .769, .970, .960, .983, .843, .689, .648, .820, .484, .724, .801),
    ),
    Published(
        "linear SVM, SVR", "honest", 0.8411, 0.7327, None,
        (.861, .841, .880, .769, .977, .926, .978, .762, .575, .647, .838, .405, .912, .861),
    ),
    Published(
        "decision tree", "honest", 0.8132, 0.4836, None,
        (.801, .744, .890, .705, .932, .943, .897, .708, .698, .431, .656, -.114, .689, .756),
    ),
)
# fmt: on
