"""Features of windows, each in a file of its own: in NumPy and in C, with the same integers."""
