"""Regression, binary and multiclass tasks: losses, links and metrics."""
