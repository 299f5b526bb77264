"""RAM of integer code: trees that read integers have a bound of their own, in the fit and in predictions."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.hardware.calibrate.calibration_trees import random_trees, with_types
from neuraltree.hardware.calibrate.ram_fit import fit_ram
from neuraltree.hardware.model.cost import counted, laid_out
from neuraltree.hardware.model.linear_model import TERMS, design
from neuraltree.hardware.profile.load import load_device
from neuraltree.hardware.profile.profile_toml import profile_text
from tests.hardware.test_cost import MINE, SMALL, costs, entry, join, record

CODE = ("int8", "straight", "gcc")


def designs(count: int) -> np.ndarray:
    rows = []
    for tree, inputs in with_types(random_trees(count, 7), 7):
        nodes, starts, about = laid_out([tree], inputs)
        kind = about.pop("kind")
        rows.append(design(counted(nodes, starts, "int8", **about), kind, once=True)[0])
    return np.stack([row for row in rows if row[TERMS.index("leaf_edge")] > 0])


def planted(once: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bytes by hand, and which trees read integers: these have no array of inputs, but keep 3 B an edge."""
    of = dict(zip(TERMS, once.T, strict=True))
    integers = of["feature_int16"] + of["feature_uint8"] > 0
    floats = 36 + 8 * np.ceil((of["feature"] + 4 * of["output"]) / 8)
    return np.where(integers, 12 + 3 * of["leaf_edge"] + 4 * of["output"], floats), integers


def test_integers_get_a_bound_of_their_own_and_no_tree_is_above_it() -> None:
    once = designs(120)
    measured, integers = planted(once)
    fitted = np.arange(len(once)) % 3 > 0
    found = fit_ram(once[fitted], measured[fitted], is_integer=True)
    assert found.trees == (int((fitted & ~integers).sum()), int((fitted & integers).sum()))
    assert (found.of(once) >= measured).all()
    assert np.mean(found.of(once) <= np.maximum(1.25 * measured, measured + 16)) >= 0.95
    assert set(found.blocks()) == {"ram", "ram_integers"}
    assert "and 2 %" in found.blocks()["ram"]["source"], "the reserve: nothing was missed by more than the bytes"


def test_a_tree_of_both_pays_for_the_conversion_of_floats() -> None:
    once = designs(120)
    found = fit_ram(once, planted(once)[0], is_integer=True)
    both = once[planted(once)[1]][:5].copy()
    alone = found.of(both)
    both[:, TERMS.index("float_inputs")] = 1
    assert (found.of(both) >= alone + 20).all()


def test_float_code_has_one_bound_without_the_terms_of_integer_code() -> None:
    once = designs(120)
    found = fit_ram(once, planted(once)[0], is_integer=False)
    assert found.integers is None
    assert found.trees == (len(once), 0)
    assert found.floats.terms["array"] == found.floats.terms["output_edge"] == 0


@pytest.mark.parametrize("reads", [False, True])
def test_predictions_take_the_figures_of_the_inputs_by_hand(tmp_path, reads) -> None:
    """5 edges from inputs, 4 features, 1 output: one block of 8 B for float inputs and output, one for the output."""
    row = entry("float32")
    row["ram"] |= {"array": {"lo": 8}, "output_edge": {"lo": 2}}
    row["ram_integers"] = row["ram"] | {"const": {"lo": 50}, "feature_int16": {"lo": 6}}
    path = tmp_path / "mine.toml"
    path.write_text(profile_text(MINE | {"entries": [row]}))
    inputs = np.zeros(4, dtype=np.int64) if reads else None
    got = costs(*join([record(SMALL)]), load_device(str(path)), "float32", *CODE[1:], inputs=inputs)["ram_bytes"]
    rest = 2 * 4 + 2 + 8 + 5 * 2  # live values, output, block, edges
    assert got.tolist() == [50 + 4 * 6 + rest if reads else 20 + 4 * 1 + rest]
