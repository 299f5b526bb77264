"""How a worker learns of a run, and proves that it computes the same bits: by a canary, a chunk with a known result."""

from __future__ import annotations

import os
import platform
import socket
import threading
import tomllib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

import numpy as np

from neuraltree.engine.lowering import engine_name
from search.config.config import config_of, to_toml
from search.config.settings import Config
from search.engine.problem import set_up
from search.errors import InputError
from search.executors.jobs import Chunk, Context, chunk_of, run_chunk
from search.executors.shipped_table import table_in
from search.executors.wire import Arrays, WireError, digest, is_digest, pack, unpack
from search.strict import one_line
from search.teachers.named_teachers import named_lessons
from search.variation.genes import first_genes

PROTOCOL = 1  # of messages; another number is refused
CANARY_TREES = 4
STREAM = 2**31 + 48  # of the canary's trees
CHUNK, RESULT = "chunk", "result "
LIBRARIES = ("neuraltree", "numpy", "scipy", "scikit-learn", "jax")


class Refused(InputError):
    """A worker that would not compute the same as the run."""


class Invitation(NamedTuple):
    """What a worker must know of a run: ``message``, and its ``table``, which has the name ``table_name``."""

    message: bytes
    table: bytes
    table_name: str


def invitation(config: Config, context: Context, table: bytes) -> Invitation:
    """The invitation to a run, with a canary that is computed here."""
    setup = context.setup
    rng = np.random.default_rng((setup.problem.seed, STREAM))
    trees = [setup.strategy.new_tree(rng) for _ in range(CANARY_TREES)]
    genes = first_genes(setup.strategy.genes, setup.problem.seed, len(trees))
    chunk = Chunk("evaluate", {"generation": 0}, trees, genes)
    expected = {RESULT + name: values for name, values in run_chunk(context, chunk).items()}
    name = digest(table)
    about = {"protocol": PROTOCOL, "config": to_toml(config), "table": name, "machine": _machine()}
    return Invitation(pack(about, {CHUNK: np.frombuffer(chunk.message(), np.uint8), **expected}), table, name)


def table_name(message: bytes) -> str:
    """The name of the table of the run that a message invites to; ``WireError`` for one that is no name."""
    name = _opened(message)[0].get("table")
    if not is_digest(name):
        raise WireError("it names no table")
    return str(name)


def join(message: bytes, table: bytes) -> Context:
    """The run of an invitation, for a worker whose threads each compute chunks of their own.

    ``Refused`` if this process would compute something else than the run. ``WireError`` for a damaged message.
    """
    about, arrays = _opened(message)
    if digest(table) != about.get("table"):
        raise WireError("the table is not the one of the run")
    try:
        config = config_of(tomllib.loads(str(about["config"])), "the config of the run")
        there, chunk = dict(about["machine"]), chunk_of(arrays.pop(CHUNK).tobytes())
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        if isinstance(error, InputError | WireError):
            raise
        raise WireError(f"it tells no run: {one_line(error)}") from None
    try:
        read = table_in(table)
        setup, lesson = named_lessons(set_up(config, read, workers=1), read, config.train, lambda _: None)
    except InputError as error:
        raise Refused(f"{here()} cannot join: {error}") from None
    context = Context(setup, read, lesson)
    found = run_chunk(context, chunk)
    _check(found, {name.removeprefix(RESULT): values for name, values in arrays.items()}, there)
    return context


class Joined:
    """The run that a process last joined: the threads of a worker join it once."""

    def __init__(self) -> None:
        self._lock, self._message = threading.Lock(), b""
        self._found: Context | None = None

    def __call__(self, message: bytes, table: bytes) -> Context:
        """As ``join``."""
        with self._lock:
            if self._found is None or message != self._message:
                self._found = None
                self._message, self._found = message, join(message, table)
            return self._found


def here() -> str:
    """This process, as messages name it."""
    return f"{socket.gethostname()} (process {os.getpid()})"


def _opened(message: bytes) -> tuple[dict[str, Any], Arrays]:
    about, arrays = unpack(message)
    if about.get("protocol") != PROTOCOL:
        raise Refused(
            f"{here()} has another version of neuraltree than the run ({version('neuraltree')}); install the same one"
        )
    return about, arrays


def _machine() -> dict[str, str]:
    """What the bits of a result can depend on."""
    found = {"python": platform.python_version(), "processor": platform.machine(), "engine": engine_name()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def _check(found: Arrays, expected: Arrays, there: Mapping[str, str]) -> None:
    """``Refused`` unless all arrays are equal to the bit."""
    if found.keys() == expected.keys() and all(found[k].tobytes() == expected[k].tobytes() for k in expected):
        return
    own = _machine()
    differ = [f"{name} {own.get(name)} (the run: {value})" for name, value in there.items() if own.get(name) != value]
    apart = [name for name in expected if name not in found or found[name].tobytes() != expected[name].tobytes()]
    raise Refused(
        f"{here()} computes other bits than the run ({', '.join(apart[:4])}); "
        + (f"it has {', '.join(differ)}" if differ else "its versions are the same, so its processor is to blame")
    )
