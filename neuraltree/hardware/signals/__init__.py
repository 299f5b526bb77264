"""Code that is fed samples, on a device and on this machine: what it costs, and what it decides."""
