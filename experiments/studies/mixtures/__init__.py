"""Mixtures of experts and multitask trees: scores, costs, convergence, pruning and quantisation."""
