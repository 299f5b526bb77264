"""Runs whose work is spread over workers."""
