"""Benchmarks of making finished trees smaller."""
