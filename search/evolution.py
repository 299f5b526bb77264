"""The search as a parameter of an estimator: ``NeuralTreeClassifier(search=Evolution(...))``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator

if TYPE_CHECKING:
    from neuraltree.estimators.options import Options
    from neuraltree.estimators.samples import Sample
    from search.runs.evolving import Found

SOURCE = "the rows given to fit"
NODES, NODES_PER_OUTPUT = 60, 35  # default max_nodes: in all, or this many for each class or target if that is more


class Evolution(BaseEstimator):
    """The settings of a search that finds trees on the whole trade-off; for the ``search`` of an estimator.

    Parameters
    ----------
    population : the number of trees that survive each generation; each generation makes as many children.
    generations : the number of generations after the first, random population.
    time : the time of the whole search, in seconds or as "90s", "5m" or "1.5h", instead of a number of generations. The
        search also ends if its front no longer gets better. ``n_iter_`` of the estimator is the number of generations
        done; a search of that many gives the same front.
    objectives : the objectives to minimise, e.g. ("error", "latency_s", "flash_bytes") or ("f1_macro", "weights");
        docs/tables.md lists them. A score counts as 1 - score.
    folds : the number of cross-validation folds on the rows given to ``fit``; 1 is one hold-out of a quarter of them.
        With ``fit(X, y, groups=...)`` no group lies in two folds, neither of the search nor of the judgement.
    selection : "hypervolume" (exact), "nsga2" or "nsga3".
    device : a name from ``python -m neuraltree.hardware --list``, or the path of a profile; needed for latency, flash,
        RAM and energy. The final front is measured if the device has an emulated core and the extra ``[measure]`` is
        installed.
    precision, style, compiler : the code whose cost counts, as in a config's [hardware]. "auto" chooses a precision or
        a style for each member of the front, which the member's ``precision`` and ``style`` then name.
    constraints : for each objective, the largest value that a member may have.
    reference : for each objective, its value in the reference point of the hypervolume; by default that of a useless
        tree or of the largest tree.
    variation : for each variation operator, its relative probability; 0 switches it off.
    baselines : ordinary models, of "linear", "mlp_8", "mlp_100", "pruned_mlp" and "cart", trained after the search on
        the same rows; ``front_.summary()`` says whether one of them is as good as the recommended tree.
    threshold : "default", the second of two classes is predicted from the probability 0.5; "tuned", from that with the
        lowest first objective on rows that the model was not fitted to, or the highest F1 if that objective does not
        depend on decisions. Probabilities do not change.
    positive : the positive class of two, which F1, average precision, recall and precision are about, and which is
        predicted above the threshold; a label of ``y`` as the estimator gets it. None is the second in sorted order.
    teachers : scikit-learn estimators, fitted in each fold and once on all rows. The trees learn the teachers' weighted
        mean on and near the training rows, besides the targets: knowledge distillation, for tables with few rows.
        One epoch is then 1,000 rows or more; 8 epochs are enough. Classes need teachers with ``predict_proba``.
    robust_radius : for the objective "robust_error", by how many standard deviations each input may change.

    Raises ``ValueError`` in ``fit`` for values and rows that a search cannot use.
    """

    def __init__(
        self,
        population: int = 100,
        generations: int = 30,
        *,
        time: float | str | None = None,
        objectives: Sequence[str] = ("error", "weights"),
        folds: int = 4,
        selection: str = "hypervolume",
        device: str | None = None,
        precision: str = "float32",
        style: str = "straight",
        compiler: str = "clang",
        constraints: Mapping[str, float] | None = None,
        reference: Mapping[str, float] | None = None,
        variation: Mapping[str, float] | None = None,
        baselines: Sequence[str] = ("linear", "cart"),
        threshold: str = "default",
        positive: str | float | None = None,
        teachers: Sequence[BaseEstimator] | None = None,
        robust_radius: float = 0.1,
    ) -> None:
        self.population = population
        self.generations = generations
        self.time = time
        self.objectives = objectives
        self.folds = folds
        self.selection = selection
        self.device = device
        self.precision = precision
        self.style = style
        self.compiler = compiler
        self.constraints = constraints
        self.reference = reference
        self.variation = variation
        self.baselines = baselines
        self.threshold = threshold
        self.positive = positive
        self.teachers = teachers
        self.robust_radius = robust_radius

    def evolve(self, sample: Sample, options: Options, *, seed: int, n_jobs: int | None, verbose: int) -> Found:
        """Search on a sample. Ctrl-C ends the search after the current generation: it returns the front found so far
        and warns."""
        from search.runs.evolving import evolve  # an estimator that only predicts needs no engine

        teachers = _checked(self.teachers)
        if self.positive is not None and sample.classes is None:
            raise ValueError(f"positive={self.positive!r} needs classes; this is a regression")
        if teachers and options.loss not in ("auto", "squared"):
            raise ValueError(f"teachers predict means, and loss={options.loss!r} is for other values; leave one out")
        tables = self._tables(sample, options, seed, taught=bool(teachers))
        return evolve(tables, sample, teachers, n_jobs=n_jobs, verbose=verbose)

    def _tables(self, sample: Sample, options: Options, seed: int, *, taught: bool) -> dict[str, Any]:
        """The config of this search with an estimator's options, in the form of parsed TOML."""
        # The lesson of a teacher has too many rows to overfit.
        decay = {"weight_decay": 0.0} if taught else {}
        outputs = max(sample.targets, len(sample.classes or ()))

        def of(source: object, *names: str) -> dict[str, Any]:
            values = {name: getattr(source, name) for name in names}
            return _plain({name: value for name, value in values.items() if value is not None})  # None: the default

        return {
            "data": {"source": SOURCE},
            "run": {"seed": seed},
            "search": of(self, "population", "generations", "selection", "folds", "threshold", "robust_radius")
            | ({} if self.time is None else {"time": self.time if isinstance(self.time, str) else f"{self.time}s"})
            | {"objectives": self.objectives if isinstance(self.objectives, str) else list(self.objectives)},
            "task": {"loss": options.loss},
            "space": {"max_nodes": room(outputs)}
            | of(options, "max_nodes", "max_depth", "max_arity")
            | {"activations": list(options.activations)},
            "train": decay | of(options, "optimizer", "learning_rate", "weight_decay", "epochs", "batch_size"),
            "hardware": of(self, "device", "precision", "style", "compiler"),
            "baselines": {"models": self.baselines if isinstance(self.baselines, str) else list(self.baselines)},
            "constraints": _plain(self.constraints or {}),
            "reference": _plain(self.reference or {}),
            "variation": _plain(self.variation or {}),
        }


def room(outputs: int) -> int:
    """The default ``max_nodes`` of a search for so many classes or targets."""
    return max(NODES, NODES_PER_OUTPUT * outputs)


def _checked(teachers: object) -> tuple[BaseEstimator, ...]:
    """Unfitted estimators; ``ValueError`` for anything else, such as an estimator that is not in a list."""
    # An unfitted estimator, such as an ensemble, may raise errors if asked for its length or its truth value.
    if not isinstance(teachers, list | tuple | None):
        raise ValueError(f"teachers is a {type(teachers).__name__}; give a list of scikit-learn estimators, or None")
    for i, teacher in enumerate(teachers or ()):
        kind = teacher if isinstance(teacher, type) else type(teacher)
        if teacher is kind:
            raise ValueError(f"teachers[{i}] is the class {kind.__name__}; give an object of it: {kind.__name__}()")
        if not all(hasattr(teacher, name) for name in ("get_params", "fit", "predict")):
            raise ValueError(f"teachers[{i}] is a {kind.__name__}; it must be a scikit-learn estimator that predicts")
    return tuple(teachers or ())


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with NumPy's numbers, which parameter grids hold, as Python's."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}
