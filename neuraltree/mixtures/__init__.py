"""Mixtures of expert trees behind a gate, and trees of several tasks above a shared trunk."""
