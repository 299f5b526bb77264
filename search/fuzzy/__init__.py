"""Evolution of the structures of fuzzy trees. The name below loads what it needs when first used."""

from neuraltree.lazy import lazy_names

_PLACES = {"FuzzyEvolution": "search.fuzzy.fuzzy_evolution"}

__all__ = [*_PLACES]

__getattr__, __dir__ = lazy_names(__name__, _PLACES)
