"""Federated learning: clients keep their rows; sums, weights and errors travel."""
