"""What belongs to the user's process stays as it is: settings, caches, signals; and a fork hears what it cannot do."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import zlib
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
from neuraltree.engine import forks
from neuraltree.hardware.measure import folders, store
from search import Evolution
from search.selection.nsga import nsga3
from tests.helpers import global_state

ROOT = Path(__file__).parents[2]
LIMIT_S = 240
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
    """What Python code prints that is run in a folder, without a home and a cache but those in ``environment``."""
    known = ("HOME", "XDG_CACHE_HOME", "JAX_COMPILATION_CACHE_DIR")
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


def test_no_setting_of_the_process_outlives_a_call(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.helpers.global_state", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=True)
    assert json.loads(done.stdout) == {step.__name__: [] for step in global_state.STEPS}


# Where programs are kept.


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


def test_programs_are_read_by_the_next_process(tmp_path: Path) -> None:
    hits = """
import jax
found = []
jax.monitoring.register_event_listener(lambda event, **_: found.append(event))
"""
    counted = FIT + 'print(*(sum(name in event for event in found) for name in ("cache_hits", "cache_misses")))'
    assert run(hits + counted, tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache")) == "0 1\n"
    (kept,) = (tmp_path / "cache" / "neuraltree" / "programs").iterdir()
    assert run(hits + counted, tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache")) == "1 0\n"
    # As a process leaves it that is killed while it writes, and as a disk may give it back.
    whole = kept.read_bytes()
    for damaged in (whole[: len(whole) // 2], zlib.compress(b"no program" * 10)):
        kept.parent.mkdir(exist_ok=True)
        kept.write_bytes(damaged)
        run(FIT, tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
        assert not kept.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


@pytest.mark.parametrize("environment", [{"XDG_CACHE_HOME": ""}, {"XDG_CACHE_HOME": "/dev/null"}])
def test_no_place_for_programs_is_no_error(environment: dict[str, str], tmp_path: Path) -> None:
    run(FIT, tmp_path, **environment)
    assert not list(tmp_path.iterdir())


def test_a_cache_that_the_user_has_set_is_used_as_it_is(tmp_path: Path) -> None:
    theirs = """
import jax
jax.config.update("jax_compilation_cache_dir", "theirs")
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.01)
"""
    show = "print(jax.config.jax_compilation_cache_dir, jax.config.jax_persistent_cache_min_compile_time_secs)"
    assert run(theirs + FIT + show, tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache")) == "theirs 0.01\n"
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]
    assert any("_train" in path.name for path in (tmp_path / "theirs").iterdir())


def test_a_cache_that_the_user_sets_after_a_fit_is_used(tmp_path: Path) -> None:
    later = """
import jax
jax.config.update("jax_compilation_cache_dir", "theirs")
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.jit(lambda x: x * 2 + 1)(1.0)
"""
    run(FIT + later, tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert any("lambda" in path.name for path in (tmp_path / "theirs").iterdir())


def test_a_cache_of_the_users_that_cannot_be_used_is_named_once(tmp_path: Path) -> None:
    caught = f"with warnings.catch_warnings(record=True) as caught:{FIT.replace(chr(10), chr(10) + '    ')}\n"
    code = caught + "print(*(warning.message for warning in caught), sep='@')"
    said = run(code, tmp_path, JAX_COMPILATION_CACHE_DIR="/dev/null")
    assert said.startswith("JAX's compilation cache in /dev/null cannot be used, so programs are compiled anew: ")
    assert "@" not in said
    assert run(code, tmp_path, JAX_COMPILATION_CACHE_DIR="") == "\n"


# Forks.

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


def test_a_fork_after_training_predicts_and_refuses_to_train(tmp_path: Path) -> None:
    actions = """
model.fit(X, y)
in_a_fork(
    lambda: model.predict(X).shape,
    fitted,
    lambda: model.set_params(search=Evolution(4, 1)).fit(X, y),
    lambda: model.set_params(search=None).partial_fit(X, y),
)
print(fitted())
"""
    said = run(CHILD + actions, tmp_path)
    assert re.search("spawn.* or .*forkserver", forks.FORKED)
    assert said == f"(100,)\n{REFUSED * 3}NeuralTreeRegressor\n"


def test_a_fork_after_other_use_of_jax_refuses_to_train(tmp_path: Path) -> None:
    assert run(f"{CHILD}import jax\njax.devices()\nin_a_fork(fitted, fitted)", tmp_path) == REFUSED * 2


def test_a_fork_before_any_use_of_jax_trains(tmp_path: Path) -> None:
    use = "__import__('jax').numpy.ones(3).sum()"
    said = run(f"{CHILD}in_a_fork(fitted, fitted)\nin_a_fork(lambda: {use}, fitted)\nprint(fitted())", tmp_path)
    assert said == "NeuralTreeRegressor\n" * 2 + "3.0\n" + "NeuralTreeRegressor\n" * 2


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
