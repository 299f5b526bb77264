"""Recordings as they were taken, brought to one rate and cut where samples are missing."""
