"""A tree as C for two devices: a sensor node with some of the inputs, and the gateway to which it sends."""
