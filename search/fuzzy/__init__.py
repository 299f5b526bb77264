"""Evolution of the structures of fuzzy trees."""

from search.fuzzy.fuzzy_evolution import FuzzyEvolution as FuzzyEvolution
