"""Shared parts of several experiments: data, hold-outs, models and statistics."""
