"""Neural trees: small sparse networks that fit a device. A public name imports its module when it is first used."""

from importlib import import_module
from typing import Any

from neuraltree.lazy import lazy_names

_PLACES = {
    "ACTIVATIONS": "neuraltree.activations",
    "NeuralTreeClassifier": "neuraltree.estimators.classifier",
    "NeuralTreeRegressor": "neuraltree.estimators.regressor",
    "ParetoEnsembleClassifier": "neuraltree.estimators.ensembles",
    "ParetoEnsembleRegressor": "neuraltree.estimators.ensembles",
    "Space": "neuraltree.tree.space",
    "Tree": "neuraltree.tree.tree",
    "load": "neuraltree.tree.model_files",
    "save": "neuraltree.tree.model_files",
}

__all__ = ["__version__", *_PLACES]

_load, _names = lazy_names(__name__, _PLACES)


def __getattr__(name: str) -> Any:
    return import_module("importlib.metadata").version("neuraltree") if name == "__version__" else _load(name)


def __dir__() -> list[str]:
    return sorted({*_names(), *__all__})
