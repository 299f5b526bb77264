"""The cost model: exact counts, and what they cost on a device."""
