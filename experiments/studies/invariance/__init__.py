"""Convergence, pruning and number formats against the number of weights."""
