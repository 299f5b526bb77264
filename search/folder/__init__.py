"""The run folder: its files, written so that a kill loses nothing, and read back."""
