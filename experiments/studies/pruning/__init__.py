"""Accuracy against sparsity: criteria, structured or not, with and without training after the cuts."""
