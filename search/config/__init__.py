"""A run's config: its keys, their checks, and the file as run."""

from neuraltree.lazy import lazy_names

_PLACES = {"load_config": "search.config.config"}

__all__ = ["load_config"]

__getattr__, __dir__ = lazy_names(__name__, _PLACES)
