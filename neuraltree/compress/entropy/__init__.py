"""Entropy-guided pruning: nodes that are always in one state, and how much to cut in each layer."""
