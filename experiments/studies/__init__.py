"""The experiments: one folder each, with the runs and the page of their results."""
