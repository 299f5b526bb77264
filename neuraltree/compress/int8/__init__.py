"""Trees in 8-bit integers."""
