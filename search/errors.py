"""The errors a user can cause, and the exit codes of a run."""

LOCKED = 3


class InputError(ValueError):
    """A mistake in what the user gave; the message is one line that says what is wrong and what is allowed."""


class LockedError(RuntimeError):
    """Another process holds the run folder."""
