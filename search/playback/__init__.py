"""Recordings played through models that are fed samples: what they decide, and how good it is."""
