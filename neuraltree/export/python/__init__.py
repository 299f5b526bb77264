"""Trees as Python modules."""
