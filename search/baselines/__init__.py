"""Ordinary models trained on the same rows as a run, for comparison with its front."""

from neuraltree.lazy import lazy_names

_PLACES = {"Baseline": "search.folder.baselines_csv", "load_baselines": "search.folder.baselines_csv"}

__all__ = ["Baseline", "load_baselines"]

__getattr__, __dir__ = lazy_names(__name__, _PLACES)
