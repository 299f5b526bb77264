"""Hierarchical fuzzy trees: nodes of Takagi-Sugeno-Kang rules, type 1 or interval type 2. Not for microcontrollers.

A node of two inputs has 20 or 36 parameters and takes four exponentials or divisions, so there is no export and no cost
model: the package reproduces and compares what the sources publish.
"""

from neuraltree.lazy import lazy_names

_MODULES = {
    "fuzzy_estimators": ("FuzzyTreeClassifier", "FuzzyTreeRegressor"),
    "fuzzy_tree": ("FuzzyTree",),
    "fuzzy_forest": ("FuzzyModel",),
    "fuzzy_training": ("FuzzyTraining",),
}
_PLACES = {name: f"neuraltree.fuzzy.{module}" for module, names in _MODULES.items() for name in names}
__all__ = [*_PLACES]
__getattr__, __dir__ = lazy_names(__name__, _PLACES)
