"""Models of recordings on public data, beside other small models on the same features."""
