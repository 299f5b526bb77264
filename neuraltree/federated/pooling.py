"""The scaling of inputs that no one client could fit: from counts, sums and sums of squares of all clients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from neuraltree.arrays import FloatArray
from neuraltree.tree.scaler import Scaler

CONSTANT = 1e-12  # a column is constant if its deviation is no larger than this share of its mean


class Sums(NamedTuple):
    """What a client tells of its rows: the number of ``rows``, and by column the sums (columns,) of the values less the
    ``origin``, and of the squares of that."""

    origin: FloatArray
    rows: int
    total: FloatArray
    squares: FloatArray


def sums_of(X: ArrayLike, origin: ArrayLike = 0.0) -> Sums:
    """The sums of a client's rows ``X`` (rows, columns) about an ``origin`` (columns,) that all clients share.

    ``ValueError`` for another shape, or a number that is not finite."""
    values = np.asarray(X, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"a client has an array of shape {values.shape}; give (rows, columns), with 0 rows for none")
    if not np.isfinite(values).all():
        raise ValueError("a client has numbers that are not finite; leave out these rows, or fill them in")
    middle = np.broadcast_to(np.asarray(origin, dtype=np.float64), values.shape[1:])
    apart = values - middle
    return Sums(middle, len(values), apart.sum(axis=0), np.square(apart).sum(axis=0))


def pooled(parts: Sequence[Sums]) -> Scaler:
    """The mean and the standard deviation of all clients' rows together; a constant column has scale 1.

    ``ValueError`` without a row, or if clients summed about different origins.
    """
    count = sum(part.rows for part in parts)
    if not count:
        raise ValueError("the clients have no rows, so there is nothing to scale by; at least one client needs a row")
    if widths := {len(part.total) for part in parts} - {len(parts[0].total)}:
        raise ValueError(
            f"clients have {len(parts[0].total)} and {min(widths)} columns; all need the same, in the same order"
        )
    origin = parts[0].origin
    if not all(np.array_equal(part.origin, origin) for part in parts):
        raise ValueError("the clients summed about different origins; send all of them the same one")
    apart = sum(part.total for part in parts) / count
    variance = sum(part.squares for part in parts) / count - np.square(apart)
    scale = np.sqrt(np.maximum(variance, 0.0))
    mean = origin + apart
    if not np.isfinite(scale).all():
        raise ValueError("the squares of a column of the clients are beyond doubles; give it another unit")
    return Scaler(mean, np.where(scale <= CONSTANT * np.maximum(np.abs(mean), 1.0), 1.0, scale))


def pooled_scaler(clients: Sequence[ArrayLike]) -> Scaler:
    """The scaler of the rows (rows, columns) of each client, in two rounds: sums about 0 give the mean, sums about the
    mean the deviation. In one round a mean far from 0 would leave the deviation no digits."""
    first = pooled([sums_of(rows) for rows in clients])
    return pooled([sums_of(rows, first.mean) for rows in clients])
