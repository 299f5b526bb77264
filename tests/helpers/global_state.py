"""Uses the package in every way, one step after the other, and prints which settings of the process each changed.

Run as a program: a test's own process is that of pytest, with settings of its own.
"""

from __future__ import annotations

import importlib
import json
import locale
import logging
import multiprocessing
import os
import pkgutil
import random
import signal
import socket
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import deap.tools  # noqa: F401  libraries that change settings when they are imported: before the first look
import distributed  # noqa: F401
import jax
import joblib  # noqa: F401
import matplotlib as mpl
import matplotlib.pyplot as plt
import moocore  # noqa: F401
import numpy as np
import onnx  # noqa: F401
import optax  # noqa: F401
import scipy.stats  # noqa: F401
import sklearn
import sklearn.datasets
import sklearn.linear_model
import sympy  # noqa: F401
from jax._src import compilation_cache
from threadpoolctl import threadpool_info, threadpool_limits

import neuraltree
import search

X, Y, LABELS = np.random.default_rng(0).normal(size=(120, 3)), np.arange(120) % 7.0, np.arange(120) % 2

SETTINGS: dict[str, Callable[[], Any]] = {
    "JAX's settings": lambda: jax.config.values,
    "JAX's open cache": lambda: compilation_cache._cache,
    "numbers below the normal ones": lambda: np.float32([1e-40]) * np.float32([1]),
    "NumPy's error state": lambda: (np.geterr(), np.geterrcall()),
    "NumPy's print options": np.get_printoptions,
    "NumPy's random numbers": lambda: [np.asarray(part).tolist() for part in np.random.get_state()],  # noqa: NPY002
    "Python's random numbers": random.getstate,
    "scikit-learn's settings": sklearn.get_config,
    "Matplotlib's settings": lambda: dict(mpl.rcParams),
    "Matplotlib's backend": mpl.get_backend,
    "threads of libraries": lambda: sorted((pool["filepath"], pool["num_threads"]) for pool in threadpool_info()),
    "filters of warnings": lambda: (warnings.filters, warnings.showwarning),
    "logging": lambda: [
        (log.level, log.handlers, log.disabled, log.propagate)
        for log in map(logging.getLogger, (None, "jax", "matplotlib", "absl"))
    ],
    "handlers of signals": lambda: {number: signal.getsignal(number) for number in signal.valid_signals()},
    "locale": lambda: locale.setlocale(locale.LC_ALL),
    "environment": lambda: dict(os.environ),
    "current directory": lambda: (Path.cwd(), sorted(Path.cwd().iterdir())),
    "how processes start": lambda: multiprocessing.get_start_method(allow_none=True),
    "interpreter": lambda: (sys.getrecursionlimit(), sys.getswitchinterval(), sys.excepthook, sys.path, sys.stdout),
    "time limit of sockets": socket.getdefaulttimeout,
}
kept: dict[str, Any] = {}


def imports() -> None:
    for package in (neuraltree, search):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("._kernel"):  # a library that is no module of Python
                importlib.import_module(module.name)


def fit() -> None:
    kept["tree"] = neuraltree.NeuralTreeClassifier(epochs=2, random_state=0, warm_start=True).fit(X, LABELS)
    kept["tree"].fit(X, LABELS).partial_fit(X, LABELS)


def fit_with_search() -> None:
    evolution = search.Evolution(
        8,
        2,
        objectives=("error", "latency_s", "weights"),
        selection="nsga3",
        device="rpi-4",
        teachers=[sklearn.linear_model.Ridge()],
    )
    kept["front"] = neuraltree.NeuralTreeRegressor(evolution, epochs=2, n_jobs=2, random_state=0).fit(X, Y)


def fit_ensemble() -> None:
    kept["ensemble"] = neuraltree.ParetoEnsembleClassifier(members=2, random_state=0).fit(X, LABELS)


def predict() -> None:
    for model in kept.values():
        model.predict(X)
        model.predict_one(X[0].tolist())
    kept["tree"].predict_proba(X * 1e300)


def plot() -> None:
    from search.pictures import plot_generations

    kept["tree"].plot_tree()
    kept["front"].plot_front()
    plot_generations(kept["front"].history_)
    plt.close("all")


def export() -> None:
    from neuraltree import export as to

    for export in (to.export_c, to.export_onnx, to.export_python, to.export_text, to.export_latex, to.export_dot):
        export(kept["tree"].tree_)


STEPS = (imports, fit, fit_with_search, fit_ensemble, predict, plot, export)


def choose_unusual_settings() -> None:
    """So that what puts a setting back to its default is seen as well."""
    np.seterr(all="raise")
    np.set_printoptions(precision=3)
    np.random.seed(7)  # noqa: NPY002
    random.seed(7)
    warnings.simplefilter("error")
    sklearn.set_config(working_memory=77)
    threadpool_limits(1)
    sys.setrecursionlimit(2345)
    socket.setdefaulttimeout(77)
    logging.getLogger().setLevel(77)
    mpl.rcParams["lines.linewidth"] = 7
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.7)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)


def snapshot() -> dict[str, str]:
    return {name: repr(look()) for name, look in SETTINGS.items()}


def main() -> None:
    os.chdir(sys.argv[1])
    choose_unusual_settings()
    before, changed = snapshot(), {}
    for step in STEPS:
        step()
        after = snapshot()
        changed[step.__name__] = [name for name in SETTINGS if after[name] != before[name]]
        before = after
    print(json.dumps(changed))


if __name__ == "__main__":
    main()
