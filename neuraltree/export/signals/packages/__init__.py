"""Streaming C as packages that people build with."""
