"""The provenance of a row of results: a hash of its settings, the commit, the versions."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from experiments.frame.data_places import CHECKOUT

# ``rows``: the number of rows with this table, job and seed, so that a truncated file is noticed.
COLUMNS = ("rows", "seconds", "cpu_s", "config", "commit", "versions")
PACKAGES = ("neuraltree", "numpy", "scipy", "scikit-learn", "jax")
PEERS = ("deap", "optuna", "pyoperon", "gplearn", "kozax")  # where they are installed
PLAIN = (bool, int, float, str, tuple, list, dict)


def config_hash(settings: dict[str, Any]) -> str:
    """12 digits of the SHA-256 of settings as JSON; the order of their keys does not matter."""
    text = json.dumps(settings, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def constants(*modules: str) -> dict[str, Any]:
    """The constants of modules: the plain values behind names in capitals; of a dictionary its keys."""
    found = {f"{name}.{key}": value for name in modules for key, value in vars(import_module(name)).items()}
    upper = {name: value for name, value in found.items() if name.rpartition(".")[2].isupper()}
    return {name: _plain(value) for name, value in upper.items() if isinstance(value, PLAIN)}


def _plain(value: Any) -> Any:
    """The value without functions, such as those in a row of a table, and without the row's description."""
    if isinstance(value, dict):
        return list(value)
    if hasattr(value, "_asdict"):
        value = tuple(each for name, each in value._asdict().items() if name != "doc")
    return [_plain(each) for each in value if isinstance(each, PLAIN)] if isinstance(value, tuple | list) else value


def commit() -> str:
    """The commit of the checkout, with ``+`` where files besides results differ from it; "unknown" outside of git."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD").strip()
        changed = _git("status", "--porcelain", "--", ".", ":(exclude)results")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + "+" * bool(changed)


def _git(*words: str) -> str:
    done = subprocess.run(("git", "-C", str(CHECKOUT), *words), capture_output=True, text=True, check=True)
    return done.stdout


def versions() -> str:
    """As in ``python 3.11.4 numpy 2.3.1``, in one cell."""
    found = [f"{name} {version(name)}" for name in PACKAGES]
    for name in PEERS:
        with suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return " ".join((f"python {platform.python_version()}", *found))
