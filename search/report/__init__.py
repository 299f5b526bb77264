"""Runs as web pages: a self-contained file for one run or several, and a server that shows runs live."""
