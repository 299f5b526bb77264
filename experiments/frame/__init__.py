"""The frame of the experiments: units of work, their store and their workers."""
