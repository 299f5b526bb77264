"""Where the work of a search is done: in threads of this process, or by workers elsewhere."""
