"""The methods that ``search_peers`` compares, one module each; a peer is imported only when it runs."""
