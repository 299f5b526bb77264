"""Runs as web pages: one self-contained file for a run or for several, and a server that shows runs live."""
