"""Labelled recordings of sensors, read from the formats that people have."""
