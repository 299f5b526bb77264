"""Crossover and mutation of trees."""
