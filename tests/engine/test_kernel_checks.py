"""No malformed job reaches the loops of the kernel: every index and every size is checked before."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.activations import NAMES
from tests.helpers.forests import Case, population

ROWS = 20


@pytest.fixture
def case():
    rng = np.random.default_rng(0)
    return Case(population(3), rng.normal(size=(ROWS, 4)), rng.normal(size=(ROWS, 1)))


def changed(array: np.ndarray, index: int, value: int) -> np.ndarray:
    copy = array.copy()
    copy[index] = value
    return copy


def predict(kernel, case: Case, **parts) -> np.ndarray:
    forest = case.forest._replace(**parts)
    return kernel.predict(forest, case.settings, case.data, np.arange(3, dtype=np.int32), case.params)


@pytest.mark.parametrize(
    ("name", "index", "value"),
    [
        ("first_node", 0, 1),
        ("first_node", 1, 10_000),
        ("first_node", 1, -1),
        ("first_node", -1, 1),
        ("size", 0, 0),
        ("size", 0, -3),
        ("size", 0, 1),
        ("size", -1, 2),
        ("size", 0, 2**31 - 1),
        ("kind", 0, -1),
        ("kind", 3, len(NAMES)),
        ("first_param", 0, 2),
        ("first_param", 1, 1),
        ("first_param", 1, 10_000),
        ("first_param", 2, -5),
        ("first_param", -1, 0),
    ],
)
def test_a_malformed_structure(kernel, case, name, index, value):
    assert predict(kernel, case).shape == (3, 1, 3)
    with pytest.raises(ValueError, match="malformed"):
        predict(kernel, case, **{name: changed(getattr(case.forest, name), index, value)})


@pytest.mark.parametrize("value", [-1, 4, 2**31 - 1])
def test_an_input_that_there_is_not(kernel, case, value):
    leaf = int(np.flatnonzero(case.forest.source >= 0)[0])
    with pytest.raises(ValueError, match="malformed"):
        predict(kernel, case, source=changed(case.forest.source, leaf, value))


@pytest.mark.parametrize("name", ["kind", "first_param", "source"])
def test_arrays_that_are_too_short(kernel, case, name):
    with pytest.raises(ValueError, match=r"shape|malformed"):
        predict(kernel, case, **{name: getattr(case.forest, name)[:-1].copy()})


@pytest.mark.parametrize("row", [-1, ROWS, 2**31 - 1])
def test_rows_that_there_are_not(kernel, case, row):
    with pytest.raises(ValueError, match="rows"):
        case.outputs(kernel, rows=np.array([0, row]))
    for rows in ({"fit_rows": [0, row]}, {"validation_rows": [0, row]}):
        with pytest.raises(ValueError, match="rows"):
            case.fit(kernel, 2, **rows)


def test_data_and_courses_that_do_not_fit(kernel, case):
    course, limit = case.course(2), np.full(3, 2)
    given = {"data": case.data, "course": course, "params": case.params, "limit": limit, "settings": case.settings}

    def train(**parts):
        return kernel.train(case.forest, **(given | parts))

    train()
    for parts in (
        {"data": case.data._replace(inputs=case.data.inputs[:, :3].copy())},
        {"data": case.data._replace(weight=case.data.weight[1:])},
        {"data": case.data._replace(targets=case.data.targets.astype(np.float32))},
        {"data": case.data._replace(inputs=np.asfortranarray(case.data.inputs))},
        {"params": case.params[1:]},
        {"limit": limit[1:]},
        {"course": course._replace(rates=course.rates[1:])},
        {"course": course._replace(epochs=3)},
        {"course": course._replace(order=course.order[:0])},
        {"settings": case.settings._replace(batch_size=0)},
        {"settings": case.settings._replace(loss="unknown")},
        {"settings": case.settings._replace(optimizer="unknown")},
    ):
        with pytest.raises(ValueError, match=r"kernel|shape|rows|loss"):
            train(**parts)


def test_arrays_that_cannot_be_written_are_read(kernel, case):
    """As memory-mapped data and arrays of JAX are."""
    expected = predict(kernel, case)
    for part in (*case.data[:3], case.params, *case.forest[2:]):
        part.flags.writeable = False
    np.testing.assert_array_equal(predict(kernel, case), expected)
