"""The front of a finished run as Python objects: ``load_front(folder)``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from search import front_views
from search.errors import DamagedError, InputError
from search.folder.baselines_csv import Baseline, load_baselines
from search.folder.records import RunFolder
from search.interrupts import resume_command
from search.objectives import HONEST_MEAN, ROBUST_SCORE, SIZE_NAMES, beside_honest, held_to, named_columns
from search.reading import read_rows
from search.strict import shown
from search.verdict import binding, compared

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from neuraltree.estimators.classifier import NeuralTreeClassifier
    from neuraltree.estimators.regressor import NeuralTreeRegressor
    from neuraltree.tree.tree import Tree


# Standard errors of the lowest honest error, within which the recommended member lies; `benchmarks.run decay` has what
# other numbers cost and save.
WITHIN = 0.15
NO_BUDGETS = ("test_error", "test_score", "int8_test_score", ROBUST_SCORE)


@dataclass(frozen=True, repr=False)
class Member:
    """One model of a front, in a file or in memory; ``values`` holds the numbers of its row in ``front.csv``.

    ``precision`` and ``style``: the code that was chosen for it; "" if one for all was given.
    """

    status: str
    values: dict[str, float]
    path: Path | None = None
    model: Tree | None = None
    precision: str = ""
    style: str = ""

    def __getattr__(self, name: str) -> float:
        values = vars(self).get("values", {})  # a copy that is being made has no ``values`` yet
        if name not in values:
            raise AttributeError(f"a member has no {name!r}; it has: {', '.join(values)}")
        return values[name]

    @property
    def name(self) -> str:
        """The name of the model file; "tree" and its id in the run for a model in memory."""
        return f"tree {self.values['id']:.0f}" if self.path is None else self.path.name

    def __repr__(self) -> str:
        code = f"{self.precision} {self.style}, " * bool(self.precision)
        return f"Member({self.name}: {code}{', '.join(f'{name} {value:.4g}' for name, value in self.values.items())})"

    def tree(self) -> Tree:
        if self.model is not None:
            return self.model
        from neuraltree.tree.model_files import FileError, load

        assert self.path is not None
        if self.path.exists() and not self.path.is_file():
            raise FileError(f"{self.path}: not a regular file")
        return load(self.path)

    def estimator(self) -> NeuralTreeRegressor | NeuralTreeClassifier:
        """A fitted scikit-learn estimator."""
        return self.tree().estimator()


@dataclass(frozen=True, repr=False)
class Front:
    """The members of a front, lowest error first. In a finished front no member dominates another.

    ``error``: the column of the errors that count, ``honest_error`` if the members have one, else ``val_error``.
    ``baselines``: ordinary models of the same rows, judged in the same folds. ``max_nodes``: the most nodes that a
    member could have, if known.
    """

    members: tuple[Member, ...]
    objectives: tuple[str, ...]
    baselines: tuple[Baseline, ...] = ()
    max_nodes: int | None = None

    @property
    def error(self) -> str:
        judged = bool(self.members) and all("honest_error" in member.values for member in self.members)
        return "honest_error" if judged else "val_error"

    def __len__(self) -> int:
        return len(self.members)

    def __iter__(self) -> Iterator[Member]:
        return iter(self.members)

    @overload
    def __getitem__(self, index: int) -> Member: ...
    @overload
    def __getitem__(self, index: slice) -> Front: ...
    def __getitem__(self, index: int | slice) -> Member | Front:
        """A member, or the front of a slice of them."""
        return Front(self.members[index], self.objectives) if isinstance(index, slice) else self.members[index]

    def __repr__(self) -> str:
        return front_views.as_text(self)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return front_views.as_html(self)

    def to_pandas(self) -> Any:
        """A ``pandas.DataFrame`` with a row for each member, in order.

        It has the members' values, NaN if one lacks a value, the name of its ``model``, and whether it is
        ``recommended``. Raises ``ValueError`` if pandas is not installed.
        """
        return front_views.as_frame(self)

    def select(self, rule: str = "recommended", **budgets: float) -> Member:
        """The member that a rule chooses within all budgets, e.g. ``select(flash_bytes=8192)``.

        ``rule``: "recommended", "lowest" (error) or "knee", see the methods of these names. A budget limits the
        measured cost if there is one, otherwise the predicted cost.
        Raises ``ValueError`` if there is no such rule, a budget is not a column or no member fits; the message then has
        each column's least value.
        """
        self._check_not_empty()
        if not isinstance(rule, str) or rule not in RULES:
            raise ValueError(f"rule={rule!r}; allowed: {', '.join(RULES)}; budgets have names: weights=20")
        for name, bound in budgets.items():
            if not isinstance(bound, Real) or np.isnan(bound):
                raise ValueError(f"{name}={bound!r}; a budget is a number")
            if name in NO_BUDGETS:
                raise ValueError(f"{name} cannot be a budget: test rows choose nothing")
            if not any(name in member.values for member in self.members):
                known = sorted({column for member in self.members for column in member.values})
                raise ValueError(f"no member has {name!r}; budgets can be: {', '.join(known)}")
        fitting = [
            member
            for member in self.members
            if all(held_to(member.values, name) <= bound for name, bound in budgets.items())
        ]
        if fitting:
            return RULES[rule](Front(tuple(fitting), self.objectives))
        least = {name: min(held_to(member.values, name) for member in self.members) for name in budgets}
        asked, found = (", ".join(f"{k} {v:g}" for k, v in row.items()) for row in (budgets, least))
        raise ValueError(f"no member fits {asked}; the least of each among {len(self)} members: {found}")

    def objective_columns(self) -> tuple[str, ...]:
        """The columns of the run's objectives that every member has; () for an empty front."""
        known = (set(member.values) for member in self.members)
        shared = set.intersection(*known) if self.members else set()
        names = named_columns(self.objectives, self.error)
        names = beside_honest(names, shared) if self.error == "honest_error" else names
        return tuple(name for name in names if name in shared)

    def recommended(self) -> Member:
        """The member with the fewest weights whose error is within ``WITHIN`` standard errors of the lowest.

        In a front without honest errors, the member with the lowest validation error.
        """
        best = self.lowest()
        bound = best.values[self.error] + WITHIN * best.values.get("honest_error_se", 0.0)
        near = [member for member in self.members if member.values[self.error] <= bound]
        return min(near, key=lambda member: (member.values.get("weights", 0.0), member.values[self.error]))

    def lowest(self) -> Member:
        """The member with the lowest error."""
        self._check_not_empty()
        return min(self.members, key=lambda member: member.values[self.error])

    def summary(self) -> str:
        """A line about the recommended member, then one for each simple baseline, and one if ``max_nodes`` binds."""
        member, best = self.recommended(), self.lowest()
        said = f"recommended: {member.values['weights']:.0f} weights, {_error_of(member, self.error)}"
        if member is best:
            said += ", the lowest"
        else:
            said += (
                f", the smallest within {WITHIN} standard errors of the lowest "
                f"({best.values[self.error]:.4f}, {best.values['weights']:.0f} weights)"
            )
        return "\n".join([said, *compared(self.baselines), *binding(self, self.max_nodes)])

    def knee(self) -> Member:
        """The member nearest to the ideal point, if every objective is scaled to 0-1 over the front, costs by their
        logarithms."""
        self._check_not_empty()
        names = self.objective_columns()
        points = np.array([[member.values[name] for name in names] for member in self.members])
        logarithmic = [
            i for i, name in enumerate(names) if name in (*SIZE_NAMES, HONEST_MEAN) and points[:, i].min() > 0
        ]
        points[:, logarithmic] = np.log(points[:, logarithmic])
        span = np.ptp(points, axis=0)
        scaled = (points - points.min(axis=0)) / np.where(span > 0, span, 1.0)
        return self.members[int(np.argmin(np.linalg.norm(scaled, axis=1)))]

    def plot(self, x: str = "weights", y: str | None = None, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw two columns of the front, ``y`` the errors that count by default; ``options`` are those of
        ``search.pictures.plot_front``."""
        from search.pictures import plot_front

        return plot_front(self, x, y, ax=ax, **options)

    def _check_not_empty(self) -> None:
        if not self.members:
            raise ValueError("the front is empty; loosen the constraints of the run, or search longer")


def _error_of(member: Member, name: str) -> str:
    """The error with its standard error, if there is one."""
    spread = f" ± {member.values['honest_error_se']:.4f}" if name == "honest_error" else ""
    return f"{'honest' if spread else 'validation'} error {member.values[name]:.4f}{spread}"


RULES: dict[str, Callable[[Front], Member]] = {
    "recommended": Front.recommended,
    "lowest": Front.lowest,
    "knee": Front.knee,
}


def load_front(folder: str | Path) -> Front:
    """The front of a finished run. Raises ``InputError`` if the folder holds none."""
    folder = Path(folder)
    path = folder / "front.csv"
    if not path.is_file():
        if (folder / "live.csv").is_file():
            raise InputError(
                f"the run in {folder} is not complete, so its front is not refitted and tested yet (live.csv has the "
                f"front so far); finish it with: {resume_command(folder)}"
            )
        if (folder / "one_class.csv").is_file():
            raise InputError(
                f"{folder} has models of normal windows alone, without a front: one_class.csv lists them; play them "
                f"with: neuraltree play {folder} RECORDINGS"
            )
        raise InputError(f"{folder} holds no front.csv; name the folder of a finished run")
    objectives = RunFolder(folder).read_manifest().get("objectives", ())
    members = tuple(read_rows(path, lambda row: _member(folder, row)))
    baselines: tuple[Baseline, ...] = ()
    with suppress(DamagedError):  # the front is whole; who asks for the baselines is told
        baselines = load_baselines(folder)
    return Front(members, tuple(objectives), baselines)


def _member(folder: Path, row: dict[str, str]) -> Member:
    texts = {name: row.pop(name) for name in ("status", "model")}
    code = {name: row.pop(name, "") for name in ("precision", "style")}
    values = {name: float(text) for name, text in row.items() if text}
    model = folder / texts["model"]
    if not model.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"the model {shown(texts['model'])} is not in the run folder")
    return Member(texts["status"], values, model, precision=code["precision"], style=code["style"])
