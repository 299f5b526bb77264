"""Trees as C99."""
