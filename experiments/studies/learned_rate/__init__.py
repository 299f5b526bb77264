"""Learning rates that trees learn, against fixed ones."""
