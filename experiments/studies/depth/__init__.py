"""Accuracy against the depth of trees."""
