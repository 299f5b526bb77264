"""A worker joins only if it computes the bits of the run; else it says what differs."""

from __future__ import annotations

import numpy as np
import pytest

from search.executors import joining
from search.executors.jobs import run_chunk
from search.executors.joining import Refused, invitation, join, table_name
from search.executors.shipped_table import table_message
from search.executors.wire import WireError, digest, pack, unpack
from tests.helpers.executor_runs import config, context, same, states


@pytest.fixture(scope="module")
def invited():
    found = context()
    return invitation(config(), found, table_message(found.table))


def test_a_worker_that_joins_has_the_run(invited):
    joined = join(invited.message, invited.table)
    alone = context()
    assert all(same(a, b) for a, b in zip(states(alone.setup, 2), states(joined.setup, 2), strict=True))
    assert table_name(invited.message) == invited.table_name == digest(invited.table)


@pytest.mark.parametrize("teachers", [("linear",)])
def test_a_worker_learns_of_the_same_teachers(teachers):
    from search.teachers.named_teachers import named_lessons

    made = config(train={"teachers": [*teachers]})
    plain = context(train={"teachers": [*teachers]})
    setup, lesson = named_lessons(plain.setup, plain.table, made.train, lambda _: None)
    taught = type(plain)(setup, plain.table, lesson)
    joined = join(*invitation(made, taught, table_message(plain.table))[:2])
    assert joined.setup.problem.data.targets.tobytes() == setup.problem.data.targets.tobytes()
    assert joined.judging(0).data.targets.tobytes() == taught.judging(0).data.targets.tobytes()


def test_another_table_is_refused(invited):
    with pytest.raises(WireError, match="not the one of the run"):
        join(invited.message, table_message(context(data={"source": "wine"}).table))


def test_another_protocol_is_refused(invited):
    about, arrays = unpack(invited.message)
    with pytest.raises(Refused, match=r"another version of neuraltree than the run .*; install the same one"):
        join(pack(about | {"protocol": 2}, arrays), invited.table)


def test_a_worker_with_other_bits_says_which_version_differs(invited, monkeypatch):
    def off(context, chunk):
        found = run_chunk(context, chunk)
        return found | {"column val_error": np.nextafter(found["column val_error"], 1.0)}

    monkeypatch.setattr(joining, "run_chunk", off)
    with pytest.raises(Refused, match=r"computes other bits than the run \(column val_error\); its versions are"):
        join(invited.message, invited.table)
    monkeypatch.setattr(joining, "engine_name", lambda: "XLA")
    with pytest.raises(Refused, match=r"it has engine XLA \(the run: "):
        join(invited.message, invited.table)
