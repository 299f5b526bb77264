"""Searches whose trees are trained by clients that keep their rows."""
