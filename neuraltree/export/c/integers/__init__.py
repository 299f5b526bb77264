"""Integer C."""
