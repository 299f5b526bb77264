"""The limits of a model: short sentences, each only if it is true of this model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from neuraltree.compress.int8.losing import word_of_loss
from neuraltree.inputs.encoders import Category
from neuraltree.tree.tree import Tree
from search.config.config import Config
from search.folder.columns import MEASURED
from search.strict import listed

FEW_TESTS = 100  # test rows
FEW_OF_CLASS = 10  # training or test rows


class Case(NamedTuple):
    """What a limit depends on: the model, the config, the section ``data`` of its card, its row in ``front.csv``."""

    tree: Tree
    config: Config
    data: Mapping[str, Any]
    values: Mapping[str, float]


def limits_of(tree: Tree, config: Config, data: Mapping[str, Any], values: Mapping[str, float]) -> list[str]:
    case = Case(tree, config, data, values)
    return [f"{line}." for limit in LIMITS for line in limit(case)]


def _no_honest_error(case: Case) -> Iterable[str]:
    if "honest_error" not in case.values:
        yield "There is no honest error; the validation error guided the search, so it tends to be too low"


def _few_tests(case: Case) -> Iterable[str]:
    rows = case.data.get("test_rows", FEW_TESTS)
    if rows < FEW_TESTS:
        step = f": one row is {1 / rows:.1%} of the accuracy" if case.tree.classes else ""
        yield f"There are only {rows} test rows, so the test results are rough{step}"


def _few_of_class(case: Case) -> Iterable[str]:
    rows = case.data.get("class_rows")
    if rows is None or case.tree.classes is None:
        return
    counts = zip(case.tree.classes, rows["train"], rows["test"], strict=True)
    few = [f"{label} ({a} to train, {b} to test)" for label, a, b in counts if min(a, b) < FEW_OF_CLASS]
    if few:
        yield f"Some classes have few rows, so little is known of their errors: {listed(few, 10)}"


def _eight_bits(case: Case) -> Iterable[str]:
    if word := word_of_loss(case.tree):
        yield word


def _one_split(case: Case) -> Iterable[str]:
    yield "The test results come from one split of one table; another split would give other results"
    if case.config.search.folds == 1 and not case.config.data.split:
        yield "The search compared models on one hold-out of the training rows"


def _rows_together(case: Case) -> Iterable[str]:
    data = case.config.data
    if not (data.group or data.time or data.split):
        yield (
            "The rows were split at random; if rows belong together (of one person, one machine, one day), new ones "
            "will have larger errors"
        )


def _predicted(case: Case) -> Iterable[str]:
    if not case.config.hardware.device:
        return
    if any(name.startswith(MEASURED) for name in case.values):
        yield "Costs were measured on an emulated core, which has no wait states, no caches and no interrupts"
    else:
        yield "All costs are predicted; none was measured"


def _far_inputs(case: Case) -> Iterable[str]:
    told = "" if case.tree.columns is None else "; Tree.doubts, or NAME_check in C, tells of them"
    yield f"Inputs outside the range of the training rows get an answer without a warning{told}"


def _missing_inputs(case: Case) -> Iterable[str]:
    columns = case.tree.columns
    if columns is None:
        yield "There is no rule for missing inputs: fill them in before predicting"
        return
    refused = [column.name for column in columns if not column.takes_holes]
    filled = [column.name for column in columns if column.name not in refused]
    if refused:
        yield f"Missing cells are refused in: {listed(refused, 10)}"
    if filled:
        yield f"Missing cells get an answer without a warning in: {listed(filled, 10)}"
    if named := [column.name for column in columns if isinstance(column, Category)]:
        yield f"Levels that were not in the training rows count as none of the known ones in: {listed(named, 10)}"


def _shift(case: Case) -> Iterable[str]:
    yield "The errors hold for rows like those of the table; where the data change, test the model again"


LIMITS: tuple[Callable[[Case], Iterable[str]], ...] = (
    _no_honest_error,
    _few_tests,
    _few_of_class,
    _one_split,
    _rows_together,
    _eight_bits,
    _predicted,
    _far_inputs,
    _missing_inputs,
    _shift,
)
