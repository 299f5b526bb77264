"""Single-float C."""
