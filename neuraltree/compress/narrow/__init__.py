"""Trees whose weights have few bits."""
