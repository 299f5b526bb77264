"""The run folder: writing its files so that a kill loses nothing, and reading them back."""
