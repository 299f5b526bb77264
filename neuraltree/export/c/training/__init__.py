"""Training on the device, as C99."""
