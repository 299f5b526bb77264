"""Logs: records that come back bit for bit, damage that is found, and joined files of any size."""

from __future__ import annotations

import errno
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from neuraltree.storing import append
from neuraltree.tree.nodes import node_dtype
from search.engine.population import Members, best_of_each_structure, merge
from search.errors import DamagedError
from search.folder.logs import Log, walk
from search.folder.npz_streams import Stream, concatenated, write_streams
from search.folder.records import RunFolder, read_npz, write_npz
from search.folder.snapshot import archive, members_from_arrays, members_to_arrays
from tests.helpers.strategies import node_arrays, steady
from tests.helpers.writes import largest_file

Arrays = dict[str, NDArray]


def some(generation: int) -> Arrays:
    """Arrays of all kinds that a run saves."""
    rng = np.random.default_rng(generation)
    count = 2 + generation % 3
    return {
        "nodes": np.array([(0, ~5, [0.0, -0.0], [np.nan, rng.normal()])] * count, dtype=node_dtype(2)),
        "ids": np.arange(count) + 10 * generation,
        "ok": rng.random(count) < 0.5,
        "parents": rng.integers(9, size=(count, 2)),
        "operator": np.array(["copy", "crossover", "x" * generation])[: 1 + count % 3],
        "column ü": rng.normal(size=count),
        "front": np.arange(0),
    }


def bits(arrays: Mapping[str, NDArray]) -> list[object]:
    return [(name, array.dtype, array.shape, array.tobytes()) for name, array in arrays.items()]


def log_of(folder: Path, count: int) -> Path:
    log = Log(folder, "archive")
    for generation in range(count):
        log.append(generation, some(generation))
    return log.file(0)


def found(folder: Path, last: int) -> list[object]:
    with Log(folder, "archive").parts(last) as parts:
        return [bits(part) for part in parts]


def expected(last: int) -> list[object]:
    return [bits(some(generation)) for generation in range(last + 1)]


def test_records_come_back_bit_for_bit(tmp_path: Path) -> None:
    log_of(tmp_path, 5)
    assert found(tmp_path, 4) == expected(4)
    assert found(tmp_path, 2) == expected(2)
    with Log(tmp_path, "archive").parts(4) as parts:
        assert bits({"ids": parts[3]["ids"]}) == bits({"ids": some(3)["ids"]})
        assert "ids" in parts[3]
        assert "no such array" not in parts[3]


def test_no_object_is_saved_or_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Python objects"):
        Log(tmp_path, "archive").append(0, {"x": np.array([{}])})
    path = log_of(tmp_path, 1)
    assert not list(tmp_path.glob("*.npz"))
    assert b"pickle" not in path.read_bytes()


@pytest.mark.parametrize("last", [-1, 0, 2])
def test_a_later_process_goes_on_after_any_generation(tmp_path: Path, last: int) -> None:
    """What was saved after its checkpoint goes, also what a kill left unfinished."""
    path = log_of(tmp_path, 4)
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    log = Log(tmp_path, "archive")
    for generation in range(last + 1, 4):
        log.append(generation, some(generation))
    assert path.read_bytes() == whole
    assert [file.name for file in tmp_path.iterdir()] == ["archive-000000.log"]


def test_a_damaged_log_is_left_as_it_is_for_a_copy_to_replace_it(tmp_path: Path) -> None:
    path = log_of(tmp_path, 3)
    whole = path.read_bytes()
    harmed = whole[: walk(path)[1].begin] + b"garbage"
    path.write_bytes(harmed)
    for _ in range(2):  # the second process was killed and begins again
        log = Log(tmp_path, "archive")
        log.append(3, some(3))
        assert path.read_bytes() == harmed
    log.append(4, some(4))
    with pytest.raises(DamagedError, match=r"archive-000000\.log is damaged: generation 1 is missing, as is 1 more"):
        found(tmp_path, 4)
    path.write_bytes(whole)
    assert found(tmp_path, 4) == expected(4)


def test_whatever_byte_is_changed_no_array_is_wrong(tmp_path: Path) -> None:
    path = log_of(tmp_path, 2)
    whole, right = path.read_bytes(), expected(1)
    noticed = 0
    for at in range(0, len(whole), 3):
        content = bytearray(whole)
        content[at] ^= 1 << at % 8
        path.write_bytes(content)
        try:
            assert found(tmp_path, 1) == right, at
        except DamagedError:
            noticed += 1
    assert noticed == len(range(0, len(whole), 3)), "every byte is under a checksum"


def test_wherever_a_log_is_cut_its_whole_records_are_there(tmp_path: Path) -> None:
    path = log_of(tmp_path, 3)
    whole = path.read_bytes()
    ends = [place.end for place in walk(path).values()]
    for size in range(0, len(whole), 17):
        path.write_bytes(whole[:size])
        assert len(walk(path)) == sum(end <= size for end in ends)


def test_an_old_run_has_an_npz_file_for_each_generation(tmp_path: Path) -> None:
    for generation in (0, 1, 10):
        write_npz(tmp_path / f"archive-{generation:06d}.npz", some(generation))
    assert found(tmp_path, 1) == expected(1)
    log = Log(tmp_path, "archive")
    log.append(2, some(2))
    log.append(3, some(3))
    assert found(tmp_path, 3) == expected(3)
    (tmp_path / "archive-000001.npz").unlink()
    with pytest.raises(DamagedError, match=r"archive-000001\.npz is missing$"):
        found(tmp_path, 3)
    log.clear()
    assert not list(tmp_path.iterdir())


# What is appended.


def test_after_an_error_a_file_ends_where_it_did(tmp_path: Path) -> None:
    path = tmp_path / "a"
    append(path, b"0123456789")
    with largest_file(15), pytest.raises(OSError, match="File too large") as failed:
        append(path, b"x" * 10)
    assert failed.value.filename == str(path)
    assert failed.value.errno == errno.EFBIG
    assert path.read_bytes() == b"0123456789"
    append(path, b"abc", lasting=False)
    assert path.read_bytes() == b"0123456789abc"


# Joined files.


def test_streams_write_the_bytes_of_a_whole_file(tmp_path: Path) -> None:
    parts = [some(generation) for generation in (3, 0, 7)]
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    write_npz(tmp_path / "whole.npz", whole)
    write_streams(tmp_path / "streamed.npz", concatenated(parts, parts[0]))
    assert (tmp_path / "streamed.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()


@pytest.mark.parametrize("chunks", [[np.arange(3)], [np.arange(5)], [np.zeros((2, 2))] * 2])
def test_rows_that_do_not_fit_leave_no_file(tmp_path: Path, chunks: list[NDArray]) -> None:
    with pytest.raises(ValueError, match="rows"):
        write_streams(tmp_path / "a.npz", {"x": Stream(np.dtype(np.int64), (4,), lambda: chunks)})
    assert not list(tmp_path.iterdir())


def plain_archive(parts: list[Arrays]) -> Arrays:
    """All trees in memory: the best of each structure, in order of evaluation."""
    everyone = merge([members_from_arrays(part) for part in parts])
    order = np.lexsort((everyone.ids, everyone.columns["val_error"], ~everyone.ok))
    kept = best_of_each_structure(everyone, order)
    return members_to_arrays(everyone.take(kept[np.argsort(everyone.ids[kept], kind="stable")]))


population = st.lists(node_arrays(n_outputs=2, folds=2), min_size=1, max_size=4)


@given(generations=st.lists(population, min_size=1, max_size=4), seed=st.integers(0, 99), formats=st.booleans())
@settings(steady, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_archive_is_joined_as_if_all_trees_were_in_memory(
    generations: list[list[NDArray]], seed: int, formats: bool, tmp_path: Path
) -> None:
    rng = np.random.default_rng(seed)
    parts, first = [], 0
    for trees in [*generations, *generations]:  # so that structures repeat
        count = len(trees)
        columns = {"weights": rng.normal(size=count), "val_error": rng.integers(3, size=count) / 3}
        columns |= {"format": rng.integers(2, size=count).astype(float)} if formats else {}
        parts.append(members_to_arrays(Members(trees, first + np.arange(count), columns, rng.random(count) < 0.7)))
        first += count
    path = Path(mkdtemp(dir=tmp_path))
    folder = RunFolder(path)
    for generation, part in enumerate(parts):
        folder.save_parts(generation, part, {})
    folder.save_checkpoint(len(parts) - 1, {}, {})
    write_npz(path / "plain.npz", plain_archive(parts))
    with folder.parts("archive") as stored:
        write_streams(path / "archive.npz", archive(stored))
    assert (path / "archive.npz").read_bytes() == (path / "plain.npz").read_bytes()
    assert bits(read_npz(path / "archive.npz")) == bits(plain_archive(parts))


def test_joining_reads_one_part_at_a_time(tmp_path: Path) -> None:
    """And of it one array."""
    rows, generations = 100_000, 40
    folder = RunFolder(tmp_path)
    for generation in range(generations):
        folder.save_parts(generation, {}, {"x": np.full(rows, generation), "y": np.zeros(rows)}, lasting=False)
    folder.save_checkpoint(generations - 1, {}, {})
    tracemalloc.start()
    with folder.parts("history") as parts:
        write_streams(tmp_path / "a.npz", concatenated(parts, ["x", "y"]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "a.npz").stat().st_size > 2 * 8 * rows * generations
    assert peak < 6 * 8 * rows
    assert read_npz(tmp_path / "a.npz")["x"][rows * 7 + 1] == 7


def test_a_folder_in_the_place_of_a_log_is_said(tmp_path: Path) -> None:
    (tmp_path / "archive-000000.log").mkdir()
    log = Log(tmp_path, "archive")
    for act in (lambda: log.parts(0), lambda: log.append(1, {})):
        with pytest.raises(DamagedError, match=r"archive-000000\.log is a folder in the place of a file; move it away"):
            act()
