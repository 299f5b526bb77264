"""Fewer nodes and levels, and the same function of every input within stated ranges."""
