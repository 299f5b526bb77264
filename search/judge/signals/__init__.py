"""The end of a run on recordings: models that are fed samples."""
