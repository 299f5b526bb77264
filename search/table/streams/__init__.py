"""Tables larger than memory: read in blocks, surveyed in one pass, and sampled for the search."""
