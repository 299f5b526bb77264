"""Trees of MNIST as C from raw pixels."""
