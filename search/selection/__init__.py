"""Survivor selection: hypervolume, NSGA-II and NSGA-III."""
