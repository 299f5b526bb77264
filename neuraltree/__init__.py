"""Neural trees: small sparse networks that fit a device. The names below load what they need when first used."""

from importlib import import_module
from typing import Any

_PLACES = {
    "ACTIVATIONS": "neuraltree.activations",
    "NeuralTreeClassifier": "neuraltree.estimators",
    "NeuralTreeRegressor": "neuraltree.estimators",
    "ParetoEnsembleClassifier": "neuraltree.ensembles",
    "ParetoEnsembleRegressor": "neuraltree.ensembles",
    "Space": "neuraltree.tree",
    "Tree": "neuraltree.model",
    "load": "neuraltree.files",
    "save": "neuraltree.files",
}

__all__ = ["__version__", *_PLACES]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("neuraltree")
    if name not in _PLACES:
        raise AttributeError(f"module 'neuraltree' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
