"""Columns of a table in C: from the number of each cell to the features that a tree reads."""
