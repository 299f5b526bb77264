"""The evolution of neural trees. The public names below load their modules on first use."""

from neuraltree.lazy import lazy_names

_PLACES = {
    "Evolution": "search.evolution",
    "load_front": "search.front",
    "load_history": "search.folder.history",
}

__all__ = ["Evolution", "load_front", "load_history"]

__getattr__, __dir__ = lazy_names(__name__, _PLACES)
