"""The columns of a front as people read them: one table of labels, units and ways to write a number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from search.objectives import metric_label, metric_names

MEASURED, CLASS_ERROR = "measured_", "error_class_"
Form = Literal["si", "count", "number"]  # SI prefix before the unit | whole number | four digits


class Column(NamedTuple):
    """``higher``: more is better. ``log``: a logarithmic axis makes sense."""

    label: str
    unit: str = ""
    form: Form = "number"
    higher: bool = False
    log: bool = False


COLUMNS: dict[str, Column] = {
    "val_error": Column("validation error", log=True),
    "honest_error": Column("honest error", log=True),
    "honest_error_se": Column("standard error of the honest error"),
    "threshold": Column("threshold of the second class"),
    "band": Column("band of 90 % intervals or label sets"),
    "test_error": Column("test error", log=True),
    "test_score": Column("test score", higher=True),
    "int8_test_score": Column("test score in 8 bits", higher=True),
    "robust_error": Column("validation error under changed inputs", log=True),
    "robust_score": Column("test score under changed inputs", higher=True),
    "weights": Column("weights", "", "count", log=True),
    "nodes": Column("nodes", "", "count", log=True),
    "depth": Column("depth", "", "count"),
    "macs": Column("MACs", "", "count", log=True),
    "distinct_activations": Column("distinct activations", "", "count"),
    "latency_s": Column("latency", "s", "si", log=True),
    "worst_latency_s": Column("worst latency", "s", "si", log=True),
    "mean_latency_s": Column("mean latency", "s", "si", log=True),
    "honest_mean_latency_s": Column("honest mean latency", "s", "si", log=True),
    "cpu_load": Column("load of the processor", "", "number", log=True),
    "flash_bytes": Column("flash", "B", "count", log=True),
    "ram_bytes": Column("RAM", "B", "count", log=True),
    "energy_j": Column("energy", "J", "si", log=True),
    "seconds": Column("time to train", "s", "si", log=True),
}
SCORES = {"regression": "R²", "classification": "accuracy"}


def column_of(name: str) -> Column:
    """The row of a column, also for measured costs and further errors; an unknown name is its own label."""
    if name.startswith(MEASURED) and (of := name.removeprefix(MEASURED)) in COLUMNS:
        return COLUMNS[of]._replace(label=f"measured {COLUMNS[of].label}")
    if name.startswith(CLASS_ERROR):
        return Column(f"validation error of class {name.removeprefix(CLASS_ERROR)}")
    if metric_names([name]):
        return Column(f"validation {metric_label(name) or name}", log=True)
    return COLUMNS.get(name, Column(name))


def told_tests(values: Mapping[str, float]) -> str:
    """The known test scores of a model, the error in the run's own metric first."""
    known = [name for name in ("test_error", "test_score") if name in values]
    return ", ".join(f"{COLUMNS[name].label} {values[name]:.4f}" for name in known)


def described(names: Iterable[str], metric: str, kind: str) -> dict[str, Column]:
    """The columns by name; the labels of errors and scores name the metrics of the run.

    ``metric``: the objective that is in ``val_error``; ``kind``: the kind of task, "" if it is not known.
    """
    task = {"": "", "regression": "regression"}.get(kind, "classification")
    usual = {"regression": "1 − R²", "classification": "error rate"}.get(task, "")
    said = metric_label(metric) or usual
    score = SCORES.get(task, "score")
    own = {
        "val_error": f"validation error ({said})" if said else "validation error",
        "honest_error": f"honest error ({said})" if said else "honest error",
        "test_error": f"test error ({said})" if said else "test error",
        "test_score": f"test {score}",
        "int8_test_score": f"test {score} in 8 bits",
    }
    found = {name: column_of(name) for name in names}
    return {name: row._replace(label=own.get(name, row.label)) for name, row in found.items()}
