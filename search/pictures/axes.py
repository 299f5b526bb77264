"""The columns of a front as axes: labels, units, the better direction, and scales."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from matplotlib.ticker import EngFormatter, Formatter, LogLocator, MaxNLocator, NullLocator, StrMethodFormatter
from numpy.typing import NDArray

from neuraltree.plot.style import short
from search.folder import columns
from search.folder.columns import CLASS_ERROR, MEASURED
from search.objectives import metric_label, metric_names
from search.strict import listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from search.folder.history import History
    from search.front import Front

Values = NDArray[np.float64]


class Column(NamedTuple):
    """``unit``: of the ticks, "" for counts, None for other numbers. ``better``: -1 if lower is better, else 1."""

    label: str
    unit: str | None = None
    better: int = -1


COLUMNS = {
    name: Column(row.label, None if row.form == "number" else row.unit, 1 if row.higher else -1)
    for name, row in columns.COLUMNS.items()
} | {"weights": Column("weights (edges + biases)", "")}
LOG_FROM = 6.0  # an axis is logarithmic if its largest value is at least this multiple of its smallest
MOST_DECADES = 2.0  # up to this many have ticks at 1, 2 and 5; more have ticks at 1 only
WHOLE = ("", "B")


class HasValues(Protocol):
    """A model with numbers by the columns of a front."""

    @property
    def values(self) -> Mapping[str, float]: ...


class Baseline(HasValues, Protocol):
    """A model to compare with."""

    @property
    def label(self) -> str: ...


def column(name: str, objectives: Sequence[str] = ()) -> Column:
    """The label, unit and better direction of a column, by its name and the objectives of the run."""
    if name in ("val_error", "honest_error", "test_error"):
        metric = (metric_names(objectives) or ["error"])[0]
        words = metric_label(metric) or "error"
        return Column(f"test {words}" if name == "test_error" else words)
    if name in COLUMNS:
        return COLUMNS[name]
    if name.startswith(MEASURED):
        of = column(name.removeprefix(MEASURED))
        return Column(f"measured {of.label}", of.unit)
    if name.startswith(CLASS_ERROR):
        return Column(f"error of class {short(name.removeprefix(CLASS_ERROR), 16)}")
    return Column(metric_label(name) or short(name))


def first_cost(objectives: Sequence[str]) -> str:
    """The first objective that is a cost, or the number of weights."""
    return next((name for name in objectives if name in COLUMNS), "weights")


def of_front(front: Front, name: str) -> Values:
    """(members,) a column, NaN if a member has no value. Raises ``ValueError`` if no member has one."""
    if not any(name in member.values for member in front):
        known = sorted({known for member in front for known in member.values})
        raise ValueError(f"no member of the front has {name!r}; allowed: {listed(known)}")
    return np.array([member.values.get(name, np.nan) for member in front], dtype=np.float64)


def of_history(history: History, name: str) -> Values:
    """(trees,) a column of all evaluated trees. Raises ``ValueError`` if there is none."""
    if name not in history.columns:
        raise ValueError(f"the history has no column {name!r}; allowed: {listed(sorted(history.columns))}")
    return np.asarray(history.columns[name], dtype=np.float64)


def is_wide(values: Iterable[float]) -> bool:
    """Whether a logarithmic axis shows the values better: all are above 0 and span a factor of ``LOG_FROM``."""
    finite = np.array([value for value in values if np.isfinite(value)])
    return bool(len(finite) and finite.min() > 0 and finite.max() >= LOG_FROM * finite.min())


def formatter(of: Column) -> Formatter:
    """The formatter of ticks: prefixes for powers of 1000 if there is a unit, else plain numbers."""
    return EngFormatter(of.unit) if of.unit else StrMethodFormatter("{x:,.10g}")


def written(value: float, of: Column) -> str:
    """A value with its unit: counts in full, all else to three digits."""
    return formatter(of)(value if of.unit == "" else float(f"{value:.3g}"))


def log_locator(values: Values) -> LogLocator:
    decades = np.log10(np.nanmax(values) / np.nanmin(values))
    return LogLocator(subs=(1.0, 2.0, 5.0) if decades <= MOST_DECADES else (1.0,))


def set_axis(ax: Axes, which: str, of: Column, values: Values) -> None:
    """Label, scale and ticks of the x or y axis, for the values that are drawn along it."""
    axis = {"x": ax.xaxis, "y": ax.yaxis}[which]
    axis.set_label_text(of.label, parse_math=False)
    if is_wide(values):
        (ax.set_xscale if which == "x" else ax.set_yscale)("log")
        axis.set_major_locator(log_locator(values))
        axis.set_minor_locator(NullLocator())
    else:
        axis.set_major_locator(MaxNLocator(6, integer=of.unit in WHOLE, min_n_ticks=1))
    axis.set_major_formatter(formatter(of))
