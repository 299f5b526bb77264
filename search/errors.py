"""The errors a user can cause, and the exit codes of a run."""

LOCKED = 3


class InputError(ValueError):
    """Mistakes in the user's input; each of the ``problems`` is one line that says what is wrong and what is allowed.

    They are the lines of the message.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)

    def __str__(self) -> str:
        return "\n".join(self.problems)

    @property
    def problems(self) -> tuple[str, ...]:
        return self.args


class DamagedError(InputError):
    """A file of a run is missing, or its contents changed; not raised for a file that only cannot be read now."""


class LockedError(RuntimeError):
    """Another process holds the run folder."""
