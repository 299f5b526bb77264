"""Tables: their sources, and how they are read, checked and split."""

from neuraltree.lazy import lazy_names

_PLACES = {"load_table": "search.table.loading", "split": "search.table.splits"}

__all__ = ["load_table", "split"]

__getattr__, __dir__ = lazy_names(__name__, _PLACES)
