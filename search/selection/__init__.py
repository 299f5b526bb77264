"""Survivor selection: hypervolume, NSGA-II and NSGA-III. The names below load what they need when first used."""

from neuraltree.lazy import lazy_names

_PLACES = {"sel_hypervolume": "search.selection.survivors"}

__all__ = ["sel_hypervolume"]

__getattr__, __dir__ = lazy_names(__name__, _PLACES)
