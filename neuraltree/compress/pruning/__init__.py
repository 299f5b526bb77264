"""Pruning: edges of a tree are ranked by a criterion, the least important are cut, and the rest is trained further."""
