"""The experiment mnist_c: its units, the rows of one with the C checked on every machine, and its page."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from experiments.common.images import CLASSES, SIDE, Images
from experiments.frame.experiment import Unit
from experiments.studies.mnist import run as mnist
from experiments.studies.mnist_c import page
from experiments.studies.mnist_c import run as study
from experiments.studies.mnist_c.machines import host_classes, on_chip
from neuraltree.compress.input_types import sources
from neuraltree.compress.int8.integer_tree import IntegerTree, quantize_tree
from neuraltree.export import export_c
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree
from search.errors import InputError
from tests.helpers.random_models import wide_tree

PROGRAMS = ("cc", "avr-gcc", "avr-size", "simavr")
needs_machines = pytest.mark.skipif(
    not all(map(shutil.which, PROGRAMS)) or not find_spec("ziglang"), reason="a compiler or a simulator is missing"
)


def test_units_are_seeds_of_every_job_and_training_in_a_format_comes_last() -> None:
    units = study.units(10, False)
    assert len(set(units)) == len(units) == 10 * len(study.JOBS)
    assert {unit.job for unit in units[-10:]} == {"8k_in_int3"}
    assert len({str(study.settings(unit, False)) for unit in units}) == len(study.JOBS)
    for job, size in study.JOBS.items():
        model = study.model_of(Unit("mnist", job, 0), False)
        assert (model.weights, model.children) == (size.weights, (size.children,))
        assert f"{size.weights // 1000}k" == job.partition("_")[0]


@needs_machines
def test_a_unit_gives_a_row_for_each_code(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (900, SIDE * SIDE)).astype(np.uint8), rng.integers(0, CLASSES, 900)
    monkeypatch.setattr(mnist, "VALIDATION", 100)
    monkeypatch.setattr(mnist, "images", lambda name: Images(X[:800], y[:800], X[800:], y[800:]))
    rows = study.run(Unit("mnist", "8k_in_int3", 0), True)
    assert [(row["precision"], row["style"]) for row in rows] == [("int3", "coded"), ("int3", "table")]
    for row in rows:
        assert set(row) == set(study.COLUMNS)
        assert row["constants"] < row["flash"] < row["chip_flash"] < 32 * 1024
        assert SIDE * SIDE < row["chip_ram"] < 2 * 1024
        assert (row["host_images"], row["chip_images"]) == (100, study.ON_CHIP)
    assert rows[0]["test_error"] == rows[1]["test_error"]
    assert rows[0]["constants"] < rows[1]["constants"]


def pixels() -> tuple[dict[str, str], np.ndarray, IntegerTree]:
    """The C of a tree of bytes, images, and the tree in integers."""
    found = wide_tree(5, 200, 20, 4)
    tree = Tree(found.nodes, found.kind, found.features, found.classes, Scaler(np.full(200, 90.0), np.full(200, 60.0)))
    X = np.random.default_rng(0).integers(0, 256, (9, 200)).astype(np.uint8)
    integers = quantize_tree(tree, sources=sources(tree, "uint8"))
    made = export_c(tree, "m", precision="int8", style="table", inputs="uint8")
    return {name: made[name] for name in ("m.c", "m.h")}, X, integers


@needs_machines
def test_machines_give_the_classes_of_python() -> None:
    files, X, integers = pixels()
    classes = integers.predict_q(integers.quantize(X))
    assert len(set(classes.tolist())) > 1
    assert host_classes(files, X).tolist() == classes.tolist()
    ran = on_chip(files, X)
    assert ran.classes.tolist() == classes.tolist()
    more = on_chip(files, np.tile(X, (2, 1)))
    assert (more.flash, more.ram) == (ran.flash, ran.ram), "images do not count"


@needs_machines
def test_a_wrong_class_and_too_large_a_program_are_errors() -> None:
    files, X, integers = pixels()
    with pytest.raises(RuntimeError, match="avr-gcc failed"):
        on_chip(files, np.zeros((170, 200), np.uint8))
    changed = files["m.c"].replace("return m_largest(y, 3);", "return 2 - m_largest(y, 3);")
    assert changed != files["m.c"]
    with pytest.raises(RuntimeError, match="the C gives other classes than Python on host"):
        study._costs(files | {"m.c": changed}, integers, X)


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(InputError, match="cc is missing; on Debian: apt-get install gcc gcc-avr"):
        host_classes({}, np.zeros((1, 3), np.uint8))


def test_the_page_is_made_of_rows_alone(tmp_path: Path) -> None:
    rows = []
    for job, size in study.JOBS.items():
        for seed in range(2 if size.trained else 3):
            for code in size.codes:
                row = {"table": "mnist", "job": job, "seed": str(seed), "weights": str(size.weights)}
                row |= code._asdict() | dict.fromkeys(study.COLUMNS[3:], str(1000 + seed))
                rows.append(row | {"test_error": str(0.015 + 0.001 * seed), "val_error": "0.02", "float_error": "0.01"})
    page.render(rows, tmp_path)
    text = (tmp_path / "mnist_c.md").read_text()
    assert " nan" not in text
    assert "2 to 3 seeds" in text
    assert "| 10,000 | int4 | coded | 2.00 ± .00 | 1.60 ± .10 | 1.00 ± .00 | 1,001 | 1,001 (1,002) |" in text
    assert "| 8,000 | int3, trained in it | table |" in text
    assert page.headline(rows).startswith(f"## {page.TITLE}\n")
