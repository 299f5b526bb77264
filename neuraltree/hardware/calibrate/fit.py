"""Fitting of coefficients to measurements: non-negative least squares on the relative error; RAM: ``ram_bound``."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from neuraltree.activations import NAMES
from neuraltree.arrays import FloatArray
from neuraltree.hardware.calibrate.ram_bound import is_near
from neuraltree.hardware.model.linear_model import INTEGERS, NODES, PLAIN, TASKS, TERMS
from neuraltree.hardware.profile.profile_schema import SHARED


@dataclass(frozen=True)
class Residual:
    """The errors of predictions against measurements of trees to which the coefficients were not fitted.

    Of a bound also the share of trees that are above it, and the share to which it is near (``ram_bound.is_near``).
    """

    rmspe_percent: float
    within_5_percent: float
    within_10_percent: float
    worst_percent: float
    spearman: float
    kendall: float
    trees: int
    below_percent: float | None = None
    near_percent: float | None = None


def residual_of_bound(bound: FloatArray, measured: FloatArray) -> Residual:
    below, near = np.rint(bound - measured) < 0, is_near(bound, measured)  # costs are whole bytes
    return replace(
        residual(bound, measured),
        below_percent=float(100 * np.mean(below)),
        near_percent=float(100 * np.mean(near)),
    )


def residual(predicted: FloatArray, measured: FloatArray) -> Residual:
    """Errors in percent of the measured values, and rank correlations (ties count as in tau-b)."""
    from scipy.stats import kendalltau, spearmanr

    off = 100 * np.abs(predicted / measured - 1)
    return Residual(
        rmspe_percent=float(np.sqrt(np.mean(off**2))),
        within_5_percent=float(100 * np.mean(off <= 5)),
        within_10_percent=float(100 * np.mean(off <= 10)),
        worst_percent=float(off.max()),
        spearman=float(spearmanr(predicted, measured).statistic),
        kendall=float(kendalltau(predicted, measured).statistic),
        trees=len(measured),
    )


def terms_of(cost: str) -> tuple[str, ...]:
    """The terms that a cost can depend on: "cycles" and "instructions", or "flash"."""
    once = (*PLAIN, *NAMES)
    return {"flash": (*once, *NODES, *SHARED)}.get(cost, once)


def fit_terms(design: FloatArray, measured: FloatArray, cost: str) -> dict[str, float]:
    """A coefficient for each of ``terms_of(cost)``; ``design`` (trees, TERMS), see ``linear_model.design``.

    The part that the three tasks have in common is moved to ``const``. Terms of integer inputs are left out if no tree
    has such inputs, or none has others.
    """
    from scipy.optimize import nnls

    found_in = dict(zip(TERMS, design.T, strict=True))
    of_types = {name: np.ptp(found_in[name]) > 0 for name in ("float_inputs", *INTEGERS)}
    names = tuple(name for name in terms_of(cost) if of_types.get(name, True))
    columns = design[:, [TERMS.index(name) for name in names]]
    found, _ = nnls(columns / measured[:, None], np.ones(len(measured)))
    result = dict(zip(names, found.tolist(), strict=True))
    common = min(result[name] for name in TASKS)
    result |= {name: result[name] - common for name in TASKS} | {"const": result["const"] + common}
    return {name: float(f"{value:.4g}") for name, value in result.items()}


def apply(design: FloatArray, coefficients: dict[str, float]) -> FloatArray:
    """The predictions (trees,) of the coefficients."""
    return design[:, [TERMS.index(name) for name in coefficients]] @ np.array(list(coefficients.values()))
