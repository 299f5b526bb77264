"""Hierarchical fuzzy trees of types 1 and 2 against neural trees of as many parameters."""
