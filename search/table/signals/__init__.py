"""Recordings of sensors as tables: a row for each decision, a column for each feature of a window."""
