"""What belongs to the user's process stays as it is: settings, caches, signals; and what works in forks and threads."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from deap import tools

import search.engine.evolution_step
from neuraltree import NeuralTreeRegressor
from neuraltree.caches import cache_folder, writable_folder
from neuraltree.engine.kernel.binding import Missing, load
from neuraltree.engine.xla import forks
from neuraltree.hardware.measure import folders, store
from search import Evolution
from search.selection.nsga import nsga3
from tests.helpers import global_state

ROOT = Path(__file__).parents[2]
LIMIT_S = 240
XLA = {"NEURALTREE_ENGINE": "xla"}
needs_kernel = pytest.mark.skipif(
    isinstance(load(), Missing), reason="needs the compiled kernel: python -m tools.kernel_build"
)
ENGINES = [pytest.param({}, id="kernel", marks=needs_kernel), pytest.param(XLA, id="xla", marks=pytest.mark.rare)]
TABLE = """
import warnings
import numpy as np
X = np.random.default_rng(0).normal(size=(100, 3))
y = X[:, 0] - X[:, 1]
"""
FIT = """
from neuraltree import NeuralTreeRegressor
NeuralTreeRegressor(epochs=2, random_state=0).fit(X, y)
"""


def run(code: str, folder: Path, **environment: str) -> str:
    """What Python code prints that is run in a folder, without a home, a cache and an engine but those in
    ``environment``."""
    known = ("HOME", "XDG_CACHE_HOME", "JAX_COMPILATION_CACHE_DIR", "NEURALTREE_ENGINE")
    others = {name: value for name, value in os.environ.items() if name not in known}
    homeless = "import pwd; pwd.getpwuid = {}.__getitem__\n" * ("HOME" not in environment)
    done = subprocess.run(
        [sys.executable, "-c", homeless + TABLE + code],
        cwd=folder,
        env=others | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("engine", ENGINES)
def test_no_setting_of_the_process_outlives_a_call(engine: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.helpers.global_state", str(tmp_path)]
    others = {name: value for name, value in os.environ.items() if name != "NEURALTREE_ENGINE"}
    done = subprocess.run(
        command, cwd=ROOT, env=others | engine, capture_output=True, text=True, timeout=LIMIT_S, check=True
    )
    assert json.loads(done.stdout) == {step.__name__: [] for step in global_state.STEPS}


@needs_kernel
def test_the_kernel_needs_no_jax(tmp_path: Path) -> None:
    every_use = """
from neuraltree import ParetoEnsembleRegressor
from search import Evolution
NeuralTreeRegressor(epochs=2, random_state=0).partial_fit(X, y).predict(X)
NeuralTreeRegressor(Evolution(4, 1), epochs=1, random_state=0).fit(X, y).predict(X)
ParetoEnsembleRegressor(members=2, random_state=0).fit(X, y).predict(X)
"""
    show = "import sys\nprint(sorted({'jax', 'jaxlib', 'optax'} & set(sys.modules)))"
    assert run(FIT + every_use + show, tmp_path) == "[]\n"
    assert run(FIT + show, tmp_path, **XLA) == "['jax', 'jaxlib', 'optax']\n"  # so that this test can fail


# What is kept for later processes.


@pytest.mark.parametrize(
    ("home", "cache", "found"),
    [
        ("home", "cache", "cache"),
        ("home", None, "home/.cache"),
        ("home", "", "home/.cache"),
        (None, "cache", "cache"),
    ],
)
def test_the_cache_directory_is_the_users(
    home: str | None, cache: str | None, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(monkeypatch, tmp_path, home, cache)
    assert writable_folder("part") == cache_folder("part") == tmp_path / found / "neuraltree" / "part"
    assert (tmp_path / found / "neuraltree" / "part").is_dir()


def place(monkeypatch: pytest.MonkeyPatch, folder: Path, home: str | None, cache: str | None) -> None:
    """A user with such folders within ``folder``, working in a folder of its own."""
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    for name, value in (("HOME", home), ("XDG_CACHE_HOME", cache)):
        monkeypatch.setenv(name, str(folder / value)) if value else monkeypatch.setenv(name, "")
        if value is None:
            monkeypatch.delenv(name)
    (folder / "work").mkdir()
    monkeypatch.chdir(folder / "work")


@pytest.mark.parametrize(("home", "cache"), [("relative", None), (None, None), (None, ""), (None, "relative")])
def test_without_a_home_nothing_is_kept(
    home: str | None, cache: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(monkeypatch, tmp_path, None, None)
    for name, value in (("HOME", home), ("XDG_CACHE_HOME", cache)):
        if value is not None:
            monkeypatch.setenv(name, value)
    with pytest.raises(OSError, match=r"(?i)home"):
        writable_folder("part")
    store.write("0" * 64, {"a": np.zeros(1)})
    assert store.read("0" * 64) is None
    folders.compiler_folder.cache_clear()
    try:
        assert folders.compiler_folder().is_dir()
    finally:
        folders.compiler_folder.cache_clear()
    assert not list(Path.cwd().iterdir())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("place", [{"XDG_CACHE_HOME": ""}, {"XDG_CACHE_HOME": "cache"}])
def test_a_fit_writes_no_file(engine: dict[str, str], place: dict[str, str], tmp_path: Path) -> None:
    absolute = {name: value and str(tmp_path / value) for name, value in place.items()}
    run(FIT, tmp_path, **absolute, **engine)
    assert not list(tmp_path.iterdir())


def test_a_cache_that_the_user_has_set_is_used_as_it_is(tmp_path: Path) -> None:
    theirs = """
import jax
jax.config.update("jax_compilation_cache_dir", "theirs")
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.01)
"""
    show = "print(jax.config.jax_compilation_cache_dir, jax.config.jax_persistent_cache_min_compile_time_secs)"
    assert run(theirs + FIT + show, tmp_path, **XLA) == "theirs 0.01\n"
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]
    assert list((tmp_path / "theirs").iterdir())


def test_a_cache_that_the_user_sets_after_a_fit_is_used(tmp_path: Path) -> None:
    later = """
import jax
jax.config.update("jax_compilation_cache_dir", "theirs")
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.jit(lambda x: x * 2 + 1)(1.0)
"""
    run(FIT + later, tmp_path, **XLA)
    assert any("lambda" in path.name for path in (tmp_path / "theirs").iterdir())


# Forks and threads.

CHILD = """
import os, signal, warnings
warnings.simplefilter("ignore")  # JAX's at every fork
from neuraltree import NeuralTreeRegressor
from search import Evolution
model = NeuralTreeRegressor(epochs=2, random_state=0)

def tried(action):
    try:
        return str(action())
    except RuntimeError as error:
        return f"RuntimeError: {error}"

def in_a_fork(*actions):
    child = os.fork()
    if not child:
        signal.alarm(30)  # a process that hangs ends by it
        for action in actions:
            print(tried(action), flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, "the child hung"

def fitted():
    return type(model.fit(X, y)).__name__
"""
REFUSED = f"RuntimeError: {forks.FORKED}\n"


AFTER_TRAINING = """
model.fit(X, y)
NeuralTreeRegressor(Evolution(4, 1), epochs=1, n_jobs=2, random_state=0).fit(X, y)
in_a_fork(
    lambda: model.predict(X).shape,
    fitted,
    lambda: type(model.set_params(search=Evolution(4, 1), n_jobs=2).fit(X, y)).__name__,
    lambda: type(model.set_params(search=None).partial_fit(X, y)).__name__,
)
print(fitted())
"""
USE_JAX = "import jax\njax.numpy.ones(3).sum()\n"


@needs_kernel
@pytest.mark.parametrize("before", ["", pytest.param(USE_JAX, marks=pytest.mark.rare)], ids=["", "JAX"])
def test_the_kernel_trains_in_a_fork(before: str, tmp_path: Path) -> None:
    """After training in threads, and where JAX could not be used any more."""
    said = run(CHILD + before + AFTER_TRAINING, tmp_path)
    assert said == "(100,)\n" + "NeuralTreeRegressor\n" * 4


def test_a_fork_after_training_predicts_and_refuses_to_train(tmp_path: Path) -> None:
    said = run(CHILD + AFTER_TRAINING, tmp_path, **XLA)
    assert re.search("spawn.* or .*forkserver", forks.FORKED)
    assert said == f"(100,)\n{REFUSED * 3}NeuralTreeRegressor\n"


def test_a_fork_after_other_use_of_jax_refuses_to_train(tmp_path: Path) -> None:
    assert run(f"{CHILD}import jax\njax.devices()\nin_a_fork(fitted, fitted)", tmp_path, **XLA) == REFUSED * 2


@pytest.mark.rare
def test_a_fork_before_any_use_of_jax_trains(tmp_path: Path) -> None:
    use = "__import__('jax').numpy.ones(3).sum()"
    said = run(f"{CHILD}in_a_fork(fitted, fitted)\nin_a_fork(lambda: {use}, fitted)\nprint(fitted())", tmp_path, **XLA)
    assert said == "NeuralTreeRegressor\n" * 2 + "3.0\n" + "NeuralTreeRegressor\n" * 2


@pytest.mark.parametrize("engine", ENGINES)
def test_fits_in_threads_are_those_of_one_thread(engine: dict[str, str], tmp_path: Path) -> None:
    fits = """
from concurrent.futures import ThreadPoolExecutor
from neuraltree import NeuralTreeRegressor
from search import Evolution

def fitted(seed):
    search = Evolution(4, 1) if seed % 2 else None
    return NeuralTreeRegressor(search, epochs=3, n_jobs=2, random_state=seed).fit(X, y).predict(X).tobytes()

with ThreadPoolExecutor(4) as pool:
    together = list(pool.map(fitted, range(8)))
print(len(set(together)), together == list(map(fitted, range(8))))
"""
    assert run(fits, tmp_path, **engine) == "8 True\n"


def test_threads_may_be_the_first_to_load_a_device(tmp_path: Path) -> None:
    loads = """
import sys, threading
from neuraltree.hardware import load_device
sys.setswitchinterval(1e-5)
together = threading.Barrier(8)

def load():
    together.wait()
    load_device("cortex-m4f")

threads = [threading.Thread(target=load) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
    run(loads, tmp_path)


# Signals, and NumPy's random numbers.


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_search_leaves_a_signal_to_the_users_handler(number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []
    stepped = search.engine.evolution_step.step

    def signalled(*arguments: Any) -> Any:
        signal.raise_signal(number)
        return stepped(*arguments)

    monkeypatch.setattr(search.engine.evolution_step, "step", signalled)
    before = signal.signal(number, lambda number, frame: heard.append(number))
    try:
        X = np.random.default_rng(0).normal(size=(60, 2))
        model = NeuralTreeRegressor(Evolution(4, 2, folds=2), epochs=1, random_state=0).fit(X, X[:, 0])
    finally:
        signal.signal(number, before)
    assert (heard, model.n_iter_) == ([number] * 2, 2)


def test_searches_in_threads_give_numpys_generator_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that is first to borrow it is the last but one to give it back, if it is let."""
    entered: list[int] = []
    second_is_in, first_is_out = threading.Event(), threading.Event()

    def waiting(rows: list, keep: int, *_: Any, **__: Any) -> list:
        entered.append(0)
        if len(entered) == 1:
            second_is_in.wait(0.5)
        else:
            second_is_in.set()
            first_is_out.wait(0.5)
        return rows[:keep]

    def select(done: Callable[[], None]) -> None:
        nsga3(np.random.default_rng(0).random((6, 3)), 3, np.random.default_rng(0))
        done()

    monkeypatch.setattr(tools, "selNSGA3", waiting)
    before = repr(np.random.get_state())  # noqa: NPY002
    threads = [threading.Thread(target=select, args=(first_is_out.set,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert repr(np.random.get_state()) == before  # noqa: NPY002


def test_the_settings_looked_at_are_jaxs() -> None:
    """So that the tests above can fail."""
    assert "jax_compilation_cache_dir" in jax.config.values
