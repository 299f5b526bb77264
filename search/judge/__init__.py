"""The end of a search: the front's refit and measurement, the baselines, the verdict."""
