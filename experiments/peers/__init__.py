"""The methods that ``search_peers`` compares, a module each; a peer is imported when it is to run."""
