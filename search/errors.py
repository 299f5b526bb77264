"""The errors a user can cause, and the exit codes of a run."""

LOCKED = 3


class InputError(ValueError):
    """A mistake in the user's input; the message is one line that says what is wrong and what is allowed."""


class DamagedError(InputError):
    """A file of a run is missing, or its contents changed; not raised for a file that only cannot be read now."""


class LockedError(RuntimeError):
    """Another process holds the run folder."""
