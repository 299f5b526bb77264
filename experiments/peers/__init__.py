"""The methods that ``experiments.search_peers`` compares, a module each; peers are imported when they are to run."""
