"""What makes a window unknown to each model, learned from the training rows of the features that its tree reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuraltree.signals.rejection import Rejection
from neuraltree.signals.rejection_choice import fitted
from neuraltree.signals.signal_model import SignalModel
from neuraltree.tree.nodes import IntArray
from search.config.settings import SignalConfig
from search.errors import InputError
from search.table.data import Table


def fitted_rejections(
    models: Sequence[SignalModel], table: Table, train_rows: IntArray, signal: SignalConfig
) -> list[Rejection | None]:
    """One for each model without features that nothing reads; its threshold is from groups that it was not fitted to.

    ``InputError`` if there are too few windows.
    """
    if signal.rejection == "none":
        return [None] * len(models)
    assert table.moments is not None
    moments = table.moments[train_rows]
    groups = moments[:, 0] if table.rules.group is None else np.asarray(table.rules.group)[train_rows]
    found = list[Rejection | None]()
    for model in models:
        front = model.front_end
        decides = moments[:, 1] % front.hop == 0
        rows = train_rows[decides]
        columns = [table.features.index(name) for name in front.features]
        X = table.X[np.ix_(rows, columns)].astype(np.int64)
        try:
            found.append(fitted(signal.rejection, X, table.y[rows], groups[decides], signal.rejected_share))
        except ValueError as error:
            raise InputError(f"signal.rejection: {error}") from None
    return found
