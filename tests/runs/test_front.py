"""A finished front: read from its table, chosen from, and predicting what the table says it does."""

from __future__ import annotations

import copy
import csv
import json
import os
import pickle
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.metrics import accuracy_score, log_loss, r2_score, root_mean_squared_error

import neuraltree
from neuraltree.tree.model_files import dumps, loads
from search import load_front
from search.config.settings import Config, DataConfig, SearchConfig, TaskConfig
from search.engine.problem import set_up
from search.errors import InputError
from search.front import Front, Member
from search.judge.finish import to_tree
from search.pictures import draw_front, draw_hypervolume
from search.run import main
from search.table.data import Table
from search.table.loading import load_table
from search.table.splits import split

# Columns have names and are given here without.
pytestmark = pytest.mark.filterwarnings("ignore:X does not have valid feature names")

HEADER = "id,status,val_error,test_error,test_score,weights,latency_s,measured_latency_s,model,error_class_a"
# By hand. Scaled to 0-1 over the front, (error, weights) are (0, 1), (.05, .5), (.1, .1), (.5, .05), (1, 0).
ROWS = [
    "7,ok,0.1,0.12,0.88,42,0.004,,models/000.json,0.0",
    "3,ok,0.14,0.11,0.89,22,0.003,0.0035,models/001.json,0.1",
    "9,refit_diverged,0.18,0.2,0.8,6,0.0025,,models/002.json,0.2",
    "1,ok,0.5,0.5,0.5,4,0.001,0.0012,models/003.json,0.3",
    "5,ok,0.9,0.8,0.2,2,0.0005,,models/004.json,1.0",
]


def write(folder: Path, rows: list[str], objectives: tuple[str, ...] = ("error", "weights")) -> Front:
    (folder / "front.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    (folder / "manifest.json").write_text(json.dumps({"objectives": objectives}))
    return load_front(folder)


@pytest.fixture
def front(tmp_path: Path) -> Front:
    return write(tmp_path, ROWS)


# The table.


def test_members_come_in_the_order_of_the_table(front: Front, tmp_path: Path) -> None:
    assert len(front) == 5
    assert [member.id for member in front] == [7, 3, 9, 1, 5]
    assert front[2].status == "refit_diverged"
    assert front[-1].path == tmp_path / "models" / "004.json"
    assert front[1].values == {
        **{"id": 3, "val_error": 0.14, "test_error": 0.11, "test_score": 0.89, "weights": 22},
        **{"latency_s": 0.003, "measured_latency_s": 0.0035, "error_class_a": 0.1},
    }


def test_a_column_is_an_attribute_where_it_has_a_value(front: Front) -> None:
    assert front[1].measured_latency_s == 0.0035
    with pytest.raises(AttributeError, match=r"a member has no 'measured_latency_s'; it has: id, val_error, test"):
        front[0].measured_latency_s  # noqa: B018
    assert not hasattr(front[0], "wieghts")


def test_members_can_be_copied(front: Front) -> None:
    for copied in (copy.deepcopy(front), pickle.loads(pickle.dumps(front))):
        assert copied == front
        assert copied[0].weights == 42


def test_every_double_of_the_table_is_read_exactly(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random(200)
    rows = [f"{i},ok,{v!r},0.5,0.5,2,0.1,,models/{i:03d}.json,0.0" for i, v in enumerate(values.tolist())]
    assert [member.val_error for member in write(tmp_path, rows)] == values.tolist()


# Choosing.


@pytest.mark.parametrize(
    ("budgets", "chosen"),
    [
        ({}, 7),
        ({"weights": 42}, 7),
        ({"weights": 41.9}, 3),
        ({"weights": 22, "latency_s": 0.0025}, 9),
        ({"latency_s": 0.0009}, 5),
        ({"error_class_a": 0.15}, 7),
        ({"measured_latency_s": 1.0}, 3),  # one that was not measured is not known to fit
        ({"measured_latency_s": 0.002}, 1),
    ],
)
def test_the_most_accurate_within_all_budgets_is_selected(front: Front, budgets: dict[str, float], chosen: int) -> None:
    assert front.select(**budgets).id == chosen


def test_a_budget_nothing_fits_is_answered_with_the_least_there_is(front: Front) -> None:
    with pytest.raises(ValueError, match=r"no member fits .*the least of each among 5 members: .* 0\.0012.* 2$"):
        front.select(measured_latency_s=0.001, weights=9)
    with pytest.raises(ValueError, match="no member fits"):
        front.select(weights=3, val_error=0.5)


def test_an_unknown_budget_is_answered_with_the_known_ones(front: Front) -> None:
    with pytest.raises(ValueError, match=r"no member has 'flash'; budgets can be: error_class_a, id, latency_s, meas"):
        front.select(flash=3)


def test_the_knee_is_nearest_to_the_ideal_point(front: Front) -> None:
    assert front.knee().id == 9


@pytest.mark.parametrize(
    ("objectives", "knee"),
    [
        (("weights",), 5),
        (("error",), 7),
        (("rmse", "weights"), 9),  # val_error is the first metric, whichever that is
        (("log_loss", "error", "weights"), 9),  # a second metric has no column
        (("error", "latency_s"), 1),
        (("error_class_a", "latency_s"), 1),
        (("error_class_a", "weights", "error"), 9),
    ],
)
def test_the_knee_is_that_of_the_objectives(tmp_path: Path, objectives: tuple[str, ...], knee: int) -> None:
    assert write(tmp_path, ROWS, objectives).knee().id == knee


def test_a_front_is_shown_in_lines(front: Front) -> None:
    lines = repr(front).splitlines()
    assert lines[0] == "Front of 5 models"
    assert lines[1].split() == ["val_error", "weights", "test_score"]
    assert lines[2].split() == ["000.json", "0.1", "42", "0.88"]
    assert len(lines) == 7
    assert len({len(line) for line in lines[1:]}) <= 2
    assert repr(front[0]).startswith("Member(000.json: id 7, val_error 0.1, ")
    many = Front((Member("ok", {"id": 1.0, "val_error": 0.5, "weights": 3.0}),) * 1000, ("error", "weights"))
    assert repr(many).splitlines()[-1] == "... and 980 more"
    assert repr(many).count("tree 1 ") == 20
    assert repr(many[:1]).splitlines()[0] == "Front of 1 model"
    assert repr(many[:0]) == "Front of 0 models"


@pytest.mark.parametrize(
    ("objectives", "names"),
    [
        (("balanced_error", "weights"), ["val_error", "weights", "test_error", "test_score"]),
        (("log_loss", "error", "weights"), ["val_error", "weights", "test_error", "test_score"]),
        (("error_rate", "weights"), ["val_error", "weights", "test_score"]),
        (("class_errors", "weights"), ["val_error", "weights", "test_score"]),
        (("weights",), ["weights", "test_score"]),
    ],
)
def test_a_front_shows_the_metric_of_its_run_before_the_score(
    tmp_path: Path, objectives: tuple[str, ...], names: list[str]
) -> None:
    assert repr(write(tmp_path, ROWS, objectives)).splitlines()[1].split() == names


def test_a_slice_of_a_front_is_a_front(front: Front) -> None:
    assert front[1:3].members == front.members[1:3]
    assert front[1:3].objectives == front.objectives


def test_an_objective_that_a_member_lacks_does_not_count() -> None:
    """Of a model that no device code can be made of, a cost is unknown."""
    known = [{"val_error": e, "weights": w} for e, w in ((0.1, 50.0), (0.12, 8.0), (0.9, 2.0))]
    members = tuple(Member("ok", values) for values in ({**known[0], "latency_s": 1.0}, *known[1:]))
    assert Front(members, ("error", "latency_s", "weights")).knee() is members[1]


def test_a_front_of_one_and_one_of_equals_have_a_knee(tmp_path: Path) -> None:
    assert write(tmp_path, ROWS[:1]).knee().id == 7
    assert write(tmp_path, [ROWS[3], ROWS[3]]).knee().id == 1


def judged(*rows: tuple[float, float, float]) -> Front:
    """A front of (honest error, its standard error, weights)."""
    names = ("honest_error", "honest_error_se", "weights")
    members = [Member("ok", {"val_error": 0.5, **dict(zip(names, row, strict=True))}) for row in rows]
    return Front(tuple(members), ("error", "weights"))


def test_the_recommended_member_is_the_smallest_hardly_worse_than_the_lowest() -> None:
    # Within 0.15 standard errors of .20, that is up to .206, the second and the third; the last has fewer weights.
    front = judged((0.2, 0.04, 90), (0.203, 0.04, 40), (0.206, 0.9, 30), (0.2061, 0.04, 20))
    assert front.error == "honest_error"
    assert front.objective_columns() == ("honest_error", "weights")
    assert front.recommended() is front.select() is front[2]
    assert front.lowest() is front.select("lowest") is front[0]
    assert front.select("knee", weights=40) is Front(front.members[1:], front.objectives).knee()
    # Within a budget, the lowest is that of the budget.
    assert front.select(weights=20) is front[3]
    assert judged((0.2, 0.04, 90), (0.2, 0.04, 40)).recommended().weights == 40
    assert front.summary() == (
        "recommended: 30 weights, honest error 0.2060 ± 0.9000, the smallest within 0.15 standard errors of the lowest "
        "(0.2000, 90 weights)"
    )
    assert front[3:].summary() == "recommended: 20 weights, honest error 0.2061 ± 0.0400, the lowest"


def test_a_front_without_honest_errors_recommends_the_lowest_validation_error(front: Front) -> None:
    assert front.error == "val_error"
    assert front.recommended() is front.lowest() is front[0]
    assert front.summary().endswith(f" weights, validation error {front[0].val_error:.4f}, the lowest")


def test_a_rule_that_there_is_not_is_refused(front: Front) -> None:
    for rule in ("best", 200, [1]):
        with pytest.raises(ValueError, match=r"rule=.*; allowed: recommended, lowest, knee; budgets have names"):
            front.select(rule)  # type: ignore[arg-type]


def test_budgets_are_numbers_and_not_of_test_rows(front: Front) -> None:
    for bound in ("a", None, float("nan")):
        with pytest.raises(ValueError, match=r"weights=.*; a budget is a number"):
            front.select(weights=bound)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="test_score cannot be a budget: test rows choose nothing"):
        front.select(test_score=0.9)


def test_the_knee_measures_costs_by_their_logarithms() -> None:
    # By the costs themselves the second would be the knee: 100 weights are little beside 10,000.
    front = judged((0.1, 0.0, 10_000), (0.3, 0.0, 100), (0.6, 0.0, 10))
    assert front.knee() is front[1]
    front = judged((0.1, 0.0, 10_000), (0.2, 0.0, 3_000), (0.6, 0.0, 10), (0.9, 0.0, 1))
    assert front.knee() is front[2]


def test_an_empty_front_says_why(tmp_path: Path) -> None:
    empty = write(tmp_path, [])
    assert list(empty) == []
    for choose in (empty.knee, empty.select, lambda: empty.select(weights=3)):
        with pytest.raises(ValueError, match="the front is empty; loosen the constraints"):
            choose()


# Folders without a front.


def test_a_run_that_is_not_complete_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "live.csv").write_text("")
    with pytest.raises(InputError, match=r"is not complete.*finish it with: python -m search.run .* --resume"):
        load_front(tmp_path)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent", str(tmp_path)):
        with pytest.raises(InputError, match=r"holds no front\.csv; name the folder of a finished run"):
            load_front(folder)


# Pictures.


@pytest.mark.parametrize(
    "objectives",
    [
        ("error", "weights"),
        ("error", "weights", "latency_s"),
        ("error_class_a",),
        ("rmse", *["weights", "latency_s"] * 2),
    ],
)
@pytest.mark.parametrize("count", [0, 1, 5])
def test_fronts_of_all_sizes_are_drawn(tmp_path: Path, count: int, objectives: tuple[str, ...]) -> None:
    members = write(tmp_path, ROWS[:count], objectives)
    draw_front(tmp_path / "front.png", members, "a $_^$ b 字" + "x" * 200)  # nothing in a name is an instruction
    height, width, _ = matplotlib.image.imread(tmp_path / "front.png").shape
    assert 300 < height < 1000
    assert 400 < width < 1700


def darkest(path: Path) -> float:
    return float(matplotlib.image.imread(path)[..., :3].sum(axis=2).min())


def test_costs_of_zero_and_test_errors_off_the_scale_are_drawn(tmp_path: Path) -> None:
    rows = [f"{i},ok,{0.5 - 0.1 * i},{10.0**i},0.5,{i},0.1,,models/{i:03d}.json,0.0" for i in range(4)]
    draw_front(tmp_path / "a.png", write(tmp_path, rows, ("error", "weights")), "t")
    rows = ["0,ok,0.0,0.3,0.7,0,0.1,,models/000.json,0.0"]
    draw_front(tmp_path / "b.png", write(tmp_path, rows, ("error", "weights")), "t")
    assert darkest(tmp_path / "a.png") < 0.5
    assert darkest(tmp_path / "b.png") < 0.5


@pytest.mark.parametrize("generations", [1, 2, 300])
def test_histories_of_all_lengths_are_drawn(tmp_path: Path, generations: int) -> None:
    draw_hypervolume(tmp_path / "h.png", list(range(generations)), [0.0] * generations)
    assert darkest(tmp_path / "h.png") < 0.5


# Classes.


@pytest.mark.parametrize("labels", [(0, 1), (-1, 1), (3, 5, 10), (0.5, 1.5), ("no", "yes")])
def test_a_model_predicts_labels_as_they_were_given(tmp_path: Path, labels: tuple) -> None:
    rng = np.random.default_rng(0)
    codes = np.arange(60) % len(labels)
    y = np.array(labels)[codes]
    X = codes[:, None] + rng.normal(size=(60, 2))
    np.savez(tmp_path / "t.npz", X=X, y=y)
    data, task = DataConfig(str(tmp_path / "t.npz")), TaskConfig("classification")
    table = load_table(Config(data, task=task))
    setup = set_up(Config(data, task=task, search=SearchConfig(folds=1)), table)
    tree = loads(dumps(to_tree(setup, table, setup.strategy.new_tree(rng))))
    model = tree.estimator()
    predicted = model.predict(X)
    assert predicted.dtype == y.dtype
    assert model.classes_.tolist() == list(labels)
    assert {type(label) for label in tree.classes} == {type(labels[0])}
    if y.dtype.kind == "f":  # scikit-learn takes fractions for a regression
        assert set(predicted) <= set(labels)
    else:
        assert model.score(X, y) == np.mean(predicted == y) > 0


def test_a_budget_is_held_to_what_was_measured(front: Front) -> None:
    assert front.select(latency_s=0.0036).id == 3
    assert front.select(latency_s=0.0034).id == 9  # member 3 was predicted to take 0.003, and took 0.0035
    assert front.select(latency_s=0.0011).id == 5


# Real runs.

RUNS = {
    "friedman1": ("error", "weights", "latency_s", "flash_bytes"),
    "iris": ("log_loss", "weights", "class_errors"),
    "breast_cancer": ("error", "weights"),
    "diabetes": ("rmse", "nodes"),
}
SCORES = {"friedman1": r2_score, "diabetes": r2_score, "iris": accuracy_score, "breast_cancer": accuracy_score}


@pytest.fixture(scope="module", params=RUNS)
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "c.toml").write_text(
        f"""
        data.source = "{request.param}"
        run.seed = 2
        space.max_nodes = 20
        search.population = 12
        search.generations = 4
        search.folds = 2
        search.objectives = {json.dumps(RUNS[request.param])}
        train.epochs = 3
        hardware.device = "cortex-m4f"
        """
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "JAX_COMPILATION_CACHE_DIR", "")
        assert main([str(folder / "c.toml"), "--out", str(folder / "out"), "--quiet"]) == 0
    return request.param, folder / "out"


def parts(source: str) -> tuple[Table, np.ndarray, np.ndarray]:
    """The table, and inputs and targets of its test rows; classes by name."""
    table = load_table(Config(DataConfig(source), task=TaskConfig()))
    _, rows = split(table, 0.2, 2)
    target = table.y[rows] if table.classes is None else np.array(table.classes)[table.y[rows]]
    return table, table.X[rows], target


def test_the_front_is_sorted_and_no_member_beats_another(finished: tuple[str, Path]) -> None:
    front = load_front(finished[1])
    assert len(front) >= 2
    errors = [member.honest_error for member in front]
    assert errors == sorted(errors)
    assert all(member.honest_error_se > 0 for member in front)
    names = ["honest_error" if name in ("error", "log_loss", "rmse") else name for name in front.objectives]
    points = np.array([[member.values[name] for name in names] for member in front])
    for point in points:
        assert not ((points <= point).all(axis=1) & (points < point).any(axis=1)).any()
    assert len(np.unique(points, axis=0)) == len(points)


def test_an_estimator_predicts_what_the_front_says_it_does(finished: tuple[str, Path]) -> None:
    source, folder = finished
    table, X, y = parts(source)
    for member in load_front(folder):
        estimator = member.estimator()
        assert is_classifier(estimator) == (table.classes is not None)
        assert SCORES[source](y, estimator.predict(X)) == pytest.approx(member.test_score, abs=1e-12)
        assert estimator.score(X, y) == pytest.approx(member.test_score, abs=1e-12)


def test_the_test_error_is_measured_as_the_validation_error_is(finished: tuple[str, Path]) -> None:
    source, folder = finished
    _, X, y = parts(source)
    for member in load_front(folder):
        model = member.estimator()
        expected = {
            "rmse": lambda: root_mean_squared_error(y, model.predict(X)),  # noqa: B023
            "log_loss": lambda: log_loss(y, model.predict_proba(X)),  # noqa: B023
            "error": lambda: 1 - member.test_score,  # noqa: B023
        }[RUNS[source][0]]()
        assert member.test_error == pytest.approx(expected, rel=1e-9)


def test_a_model_file_is_the_member_of_its_row(finished: tuple[str, Path]) -> None:
    source, folder = finished
    table, X, _ = parts(source)
    front = load_front(folder)
    assert sorted(path.name for path in (folder / "models").iterdir()) == [member.path.name for member in front]
    for member in front:
        tree = neuraltree.load(member.path)
        assert tree == member.tree()
        assert (tree.num_weights, tree.num_nodes, tree.depth) == (member.weights, member.nodes, member.depth)
        assert tree.features == table.features
        assert tree.classes == table.classes
        assert np.array_equal(tree.predict(X), member.estimator().predict(X))


def test_class_errors_have_a_column_each(finished: tuple[str, Path]) -> None:
    source, folder = finished
    with (folder / "front.csv").open(newline="") as file:
        header = next(csv.reader(file))
    labels = ("setosa", "versicolor", "virginica") if source == "iris" else ()
    after = header[header.index("model") + 1 :]
    assert after == [*(f"error_class_{label}" for label in labels), "honest_error", "honest_error_se", "band"]


def test_the_live_front_is_the_front_before_it_is_refitted(finished: tuple[str, Path]) -> None:
    with (finished[1] / "live.csv").open(newline="") as live, (finished[1] / "front.csv").open(newline="") as last:
        before = {row["id"]: row for row in csv.DictReader(live)}
        after = list(csv.DictReader(last))
    assert after
    for then in after:
        now = before[then["id"]]
        assert now["honest_error"] == ""
        assert [now[name] for name in ("id", "val_error", "weights")] == [
            then[n] for n in ("id", "val_error", "weights")
        ]
        assert (now["status"], now["test_error"], now["model"]) == ("evolving", "", "")


def test_a_member_is_what_a_front_is_made_of(finished: tuple[str, Path]) -> None:
    front = load_front(finished[1])
    assert all(isinstance(member, Member) for member in front)
    assert {member.status for member in front} == {"ok"}
    small = front.knee().weights
    assert front.select("lowest", weights=small).honest_error <= front.knee().honest_error
    assert front.select("knee", weights=small).weights <= small


def test_the_columns_that_were_minimised() -> None:
    members = (
        Member("ok", {"val_error": 0.1, "weights": 3.0, "rmse": 1.0}),
        Member("ok", {"val_error": 0.2, "rmse": 2.0}),
    )
    assert Front(members, ("error", "weights", "rmse")).objective_columns() == ("val_error", "rmse")
    assert Front(members[:1], ("weights", "error")).objective_columns() == ("weights", "val_error")
    assert Front((), ("error",)).objective_columns() == ()
