"""Every row of the table of activations: all its forms are one function. A new row is tested here without a change."""

from __future__ import annotations

import ctypes
import math
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from neuraltree.activations import ACTIVATIONS, ALIASES, NAMES, Activation
from neuraltree.activations.kind import Functions
from neuraltree.hardware.profile.profile_schema import Cycles, Figure
from search.variation.edge_operators import SPREADS
from tests.helpers.jumps import SURROGATES

ROOT = Path(__file__).parents[2]
MATH = Functions(math.exp, math.tanh, math.sin)
SUMS = np.random.default_rng(0).uniform(-6, 6, 500)  # on no kink
# By name, the activation whose costs in the package stand for it: ``tests/hardware/test_compare.py`` measures.
STANDS_IN = {"sign": "relu"}
every_row = pytest.mark.parametrize("row", ACTIVATIONS, ids=NAMES)


def value(row: Activation) -> np.ndarray:
    return np.array([row.alone(MATH)(s) for s in SUMS.tolist()])


def differences(function: Callable[[float], float]) -> np.ndarray:
    """Central differences of a function of single numbers."""
    step = 1e-6
    return np.array([(function(s + step) - function(s - step)) / (2 * step) for s in SUMS.tolist()])


def slopes(row: Activation) -> np.ndarray:
    """The slopes that train an activation: its own, or if it jumps those of its surrogate."""
    if row.jump is None:
        return differences(row.alone(MATH))
    return differences(lambda s: SURROGATES[row.name](s, np))


def test_names_and_codes_are_stable() -> None:
    """The codes in models and checkpoints: a row may be appended, none may move."""
    assert NAMES[:6] == ("sigmoid", "tanh", "gaussian", "relu", "sine", "identity")
    assert ALIASES["fermi"] == "sigmoid"
    assert len({*NAMES, *ALIASES}) == len(NAMES) + len(ALIASES)


@every_row
def test_an_activation_is_one_file_of_its_name(row: Activation) -> None:
    path = ROOT / "neuraltree" / "activations" / f"{row.name}.py"
    assert f'name="{row.name}"' in path.read_text("utf-8")


def test_the_table_imports_neither_jax_nor_sympy_nor_onnx() -> None:
    heavy = "{'jax', 'sympy', 'onnx', 'matplotlib', 'sklearn', 'scipy'}"
    code = f"import neuraltree.activations, sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@every_row
def test_arrays_of_numpy_and_jax_give_the_value_and_the_slope(row: Activation) -> None:
    found = row.value(SUMS)
    np.testing.assert_allclose(found, value(row), rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(row.derivative(SUMS, found), slopes(row), atol=1e-8)
    single = jnp.asarray(SUMS, jnp.float32)
    np.testing.assert_allclose(row.value(single, jnp), found, atol=3e-6)
    np.testing.assert_allclose(row.derivative(single, row.value(single, jnp), jnp), slopes(row), atol=1e-5)


@every_row
def test_what_it_says_of_itself(row: Activation) -> None:
    wide = np.linspace(-40, 40, 80_001)
    found, steep = row.value(wide), np.abs(row.derivative(wide, row.value(wide)))
    for end, reached in zip(row.bounds, (found.min(), found.max()), strict=True):
        assert end == pytest.approx(reached, abs=1e-6) if math.isfinite(end) else abs(reached) >= 40
    assert steep.max() <= row.steepest <= 1.01 * steep.max()
    assert len(row.letter) == 1
    assert (row.jump is not None) == (row.name in SURROGATES) == row.integers.jumps
    assert row.flops >= 0
    with np.errstate(invalid="ignore"):
        assert np.isnan(row.value(np.array([np.nan]))).all()
    assert math.isnan(row.alone(MATH)(math.nan))


@every_row
def test_a_jump_is_from_one_end_of_the_bounds_to_the_other(row: Activation) -> None:
    alone = row.alone(MATH)
    if row.jump is not None:
        assert (alone(math.nextafter(row.jump, -1)), alone(row.jump)) == row.bounds
        assert row.jump == 0  # as ``Integers.jumps`` says


def test_the_sign_of_zero_is_one_in_all_languages(tmp_path: Path) -> None:
    """A value of one bit: 1 from 0 on, and for -0 as well, which is not below 0."""
    row = ACTIVATIONS[NAMES.index("sign")]
    zeros, expected = np.array([0.0, -0.0, 5e-324, -5e-324]), [1.0, 1.0, 1.0, -1.0]
    assert row.value(zeros).tolist() == [row.alone(MATH)(s) for s in zeros.tolist()] == expected
    for text, call in ((row.python_function, row.python), (row.plain_function, row.plain)):
        scope: dict[str, Any] = {"np": np}
        exec(text, scope)
        assert [float(eval(call.format("s"), scope, {"s": s})) for s in zeros] == expected


@every_row
def test_integers_lose_nothing_but_rounding(row: Activation) -> None:
    kind = row.integers
    if not kind.domain:  # piecewise linear between its ends, which are its bounds
        low, high = (np.sign(end) * 127 for end in row.bounds)
        assert (kind.low, kind.high) == (low, high)
        return
    assert max(map(abs, row.bounds)) == 1
    ends = np.linspace(kind.domain, 4 * kind.domain, 1000)
    for side in (-1, 1):
        if kind.repeats:
            np.testing.assert_allclose(row.value(ends), row.value(ends + 2 * side * kind.domain), atol=1e-12)
        else:
            assert (
                np.abs(row.value(side * ends) - row.value(side * np.array([kind.domain * 127 / 128]))).max() < 1 / 127
            )
    rising = np.diff(np.sign(row.derivative(s := (np.arange(-128, 128) + 0.5) * kind.domain / 128, row.value(s))))
    assert [(t - 127, np.sign(-rising[t])) for t in np.flatnonzero(rising)] == sorted(kind.turns)


@every_row
def test_the_formula_is_the_function_and_its_derivative_the_slope(row: Activation) -> None:
    sympy = pytest.importorskip("sympy", reason="formulas need sympy: pip install 'neuraltree[export]'")
    if row.sympy is None:
        assert row.name == "identity"
        return
    s = sympy.Symbol("s", real=True)
    meant = row.sympy(s, sympy)
    derivative = differences(row.alone(MATH))  # of the value, not of a surrogate
    modules: list[Any] = [{"Heaviside": lambda x, *_: np.heaviside(x, 0.5)}, "numpy"]
    np.testing.assert_allclose(sympy.lambdify(s, meant, modules)(SUMS), value(row), atol=1e-12)
    np.testing.assert_allclose(sympy.lambdify(s, meant.diff(s), modules)(SUMS) + 0 * SUMS, derivative, atol=1e-8)
    for definition in (row.text, row.latex):
        assert not definition or "(s)" in definition


@pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler: apt-get install gcc")
@every_row
def test_the_expression_of_the_docs_is_the_function(row: Activation, tmp_path: Path) -> None:
    (tmp_path / "f.c").write_text(f"#include <math.h>\nfloat f(float s) {{ return {row.c_text}; }}\n")
    subprocess.run(["cc", "-shared", "-fPIC", "f.c", "-o", "f.so", "-lm"], cwd=tmp_path, check=True)
    function = ctypes.CDLL(str(tmp_path / "f.so")).f
    function.argtypes, function.restype = [ctypes.c_float], ctypes.c_float
    np.testing.assert_allclose([function(s) for s in SUMS.tolist()], value(row), atol=3e-6)


@every_row
def test_the_spread_is_that_on_normal_sums(row: Activation) -> None:
    from scipy.integrate import quad

    def moment(power: int) -> float:
        density = lambda s: row.alone(MATH)(s) ** power * math.exp(-s * s / 2) / math.sqrt(2 * math.pi)  # noqa: E731
        return sum(quad(density, *ends)[0] for ends in ((-9, -1), (-1, 0), (0, 1), (1, 9)))

    spread = math.sqrt(moment(2) - moment(1) ** 2)
    assert SPREADS[NAMES.index(row.name)] == pytest.approx(spread, abs=2e-4)


@every_row
def test_the_profiles_in_the_package_have_figures_of_its_own(row: Activation) -> None:
    """None is left to the stand-in for profiles that are older than the activation, but those of ``STANDS_IN``."""
    entries = [
        entry
        for path in sorted((ROOT / "neuraltree" / "hardware" / "profile" / "data").glob("*.toml"))
        for entry in tomllib.loads(path.read_text("utf-8")).get("entries", [])
    ]
    assert entries
    for entry in entries:
        counted = [
            block for block in ("instructions", "cycles", "flash") if block in entry
        ]  # simavr counts only cycles
        assert {"cycles", "flash"} <= set(counted)
        assert all((row.name in entry[block]["kinds"]) == (row.name not in STANDS_IN) for block in counted)


def test_a_profile_older_than_an_activation_takes_the_figures_of_its_stand_in() -> None:
    older = {row.name: Figure(lo=float(code)) for code, row in enumerate(ACTIVATIONS) if not row.priced_as}
    plain = dict.fromkeys(("const", "node", "leaf_edge", "node_edge", "output", "feature"), Figure(lo=1.0))
    kinds = Cycles(unit="cycle", certainty="E", source="test", kinds=dict(older), **plain).kinds
    assert set(kinds) == set(NAMES)
    for row in ACTIVATIONS:
        assert kinds[row.name] == older[row.priced_as or row.name]
