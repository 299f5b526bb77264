"""Weights by gradients, differential evolution, particle swarms and random search."""
