"""Benchmarks of reading: tables as people have them, and large ones."""
