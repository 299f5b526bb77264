"""Time series of the literature."""
