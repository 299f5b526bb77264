"""The cost model: exact counts, and their cost on a device."""
