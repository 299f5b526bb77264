"""How a table of integers stores its edges from inputs."""
