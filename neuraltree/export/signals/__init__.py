"""Models that are fed samples as C: a state, a push, and events."""
