"""Columns of a table as people have them, and the features that a tree reads: the encoders that a tree carries."""
