"""The methods that ``experiments.studies.search_peers.run`` compares, a module each; peers are imported when they are to run."""
