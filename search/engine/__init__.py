"""The search as pure steps: no input, no output, no clock, no globals."""
