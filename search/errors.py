"""The errors a user can cause, and the exit codes of a run."""

LOCKED = 3


class InputError(ValueError):
    """A mistake in what the user gave; the message is one line that says what is wrong and what is allowed."""


class DamagedError(InputError):
    """A file of a run does not hold what was written into it; one that cannot be read now is none of these."""


class LockedError(RuntimeError):
    """Another process holds the run folder."""
