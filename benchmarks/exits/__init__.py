"""Savings by early exit and by cascades."""
