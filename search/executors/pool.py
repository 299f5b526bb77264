"""What ``Spread`` needs of the workers of a kind: a row each in ``worker_kinds.KINDS``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol

from search.executors.wire import Arrays


class Answer(NamedTuple):
    """What a worker says about a chunk: its result, or the problem that it met. ``seconds``: what it took."""

    name: str
    worker: str
    seconds: float = 0.0
    result: Arrays | None = None
    problem: str = ""


class Pool(Protocol):
    """Workers that come and go. A chunk is known by its name and may be computed more than once."""

    def slots(self) -> int:
        """How many chunks the workers compute at once, as far as is known now."""

    def offer(self, chunks: Mapping[str, bytes]) -> None:
        """Chunks by name for any worker to take."""

    def claim(self) -> str:
        """A chunk that no worker has begun, and that none begins now: this process computes it. "" for none."""

    def all_begun(self) -> bool:
        """Whether workers have begun all chunks that are offered and not answered."""

    def answers(self, wait_s: float) -> list[Answer]:
        """The answers that came since the last call; waits so long for the first."""

    def withdraw(self, names: Collection[str]) -> None:
        """Chunks that need no answer any more."""

    def close(self) -> None:
        """Called last."""
