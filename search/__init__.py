"""The evolution of neural trees. The names below load what they need when first used."""

from importlib import import_module
from typing import Any

_PLACES = {"Evolution": "search.evolution", "load_front": "search.front", "load_history": "search.history"}

__all__ = ["Evolution", "load_front", "load_history"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
