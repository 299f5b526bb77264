"""Which settings of a search matter most: elementary effects."""
