"""The end of a run, interrupted after each of its units: what is done is not done again, and the files are the same."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from search import pictures
from search.folder import records
from search.folder.end_log import FILE, EndLog
from search.judge import baseline_training, finish, honest, units
from search.run import main
from tests.helpers.writes import at_writes

CONFIG = """
[data]
source = "iris"
[search]
population = 5
generations = 2
folds = 2
objectives = ["error", "weights"]
[train]
epochs = 2
[hardware]
finetune_epochs = 1
precision = "int8"
device = "cortex-m0plus"
[baselines]
models = ["linear", "cart"]
"""


class Killed(BaseException):
    """Ends a run where a kill would."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """One tree is a unit, and the judgement has two repeats; no pictures, and nothing is measured."""
    monkeypatch.setattr(units, "UNIT", 0.0)
    monkeypatch.setattr(honest, "REPEATS", 2)
    monkeypatch.setattr(finish, "measure_front", lambda *_: {})
    monkeypatch.setattr("search.runs.loop.nothing_measured", lambda *_: False)
    for name in ("draw_front", "draw_hypervolume"):
        monkeypatch.setattr(pictures, name, lambda path, *_: records.write_bytes(path, b""))


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done: a word for each training of the judgement, the refit, the fine-tuning and the baselines."""
    done: list[str] = []

    def counted(module: object, name: str, word: str) -> None:
        real: Callable[..., object] = getattr(module, name)

        def counting(*arguments: object, **how: object) -> object:
            done.append(word)
            return real(*arguments, **how)

        monkeypatch.setattr(module, name, counting)

    counted(honest, "trained", "judgement")
    counted(finish, "trained", "refit")
    counted(finish, "finetune", "fine-tuning")
    counted(baseline_training, "train_row", "baseline")
    return done


def results(out: Path) -> dict[str, object]:
    """The files of a run, without seconds."""
    found: dict[str, object] = {
        str(path.relative_to(out)): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file()
        and path.name not in ("manifest.json", "history.csv", "baselines.csv", "card.md", "card.json")
        and "checkpoint" not in path.parts
    }
    rows = [line.split(",") for line in (out / "baselines.csv").read_text().splitlines()]
    place = rows[0].index("seconds")
    manifest = json.loads((out / "manifest.json").read_text())
    del manifest["cpu_seconds"]
    return found | {"baselines": [row[:place] + row[place + 1 :] for row in rows], "manifest": manifest}


def searched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that was killed when its search was over."""
    (folder / "c.toml").write_text(CONFIG)

    def kill(path: Path) -> None:
        if path.name == FILE:
            raise Killed

    with monkeypatch.context() as patch:
        at_writes(patch, kill)
        with pytest.raises(Killed):
            main([str(folder / "c.toml"), "--out", str(folder / "searched"), "--quiet"])
    return folder / "searched"


def test_a_stop_after_any_unit_changes_nothing_and_repeats_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained: list[str]
) -> None:
    """A run is resumed again and again, and is asked to stop after one unit or killed in the second."""
    begun = searched(tmp_path, monkeypatch)
    out = tmp_path / "out"
    shutil.copytree(begun, out)
    trained.clear()
    assert main([str(out), "--resume", "--quiet"]) == 0
    expected, whole = results(out), list(trained)
    assert not (out / "checkpoint" / FILE).exists()
    members = whole.count("fine-tuning")
    assert members >= 2
    assert whole.count("refit") == members
    assert whole.count("judgement") >= 2 * members
    assert whole[-2:] == ["baseline"] * 2
    shutil.rmtree(out)  # a run knows its folder, so both are made in one place
    shutil.copytree(begun, out)
    for done in range(len(whole)):
        killed = done % 2 == 1
        trained.clear()
        units_kept: list[Path] = []

        def stop(path: Path, kept: list[Path] = units_kept, killed: bool = killed) -> None:
            if path.name in (FILE, "baselines.csv"):
                kept.append(path)
                if not killed:
                    os.kill(os.getpid(), signal.SIGINT)
                elif len(kept) == 2:
                    raise Killed

        with monkeypatch.context() as patch:
            at_writes(patch, stop, "before" if killed else "after")
            if done == len(whole) - 1:
                assert main([str(out), "--resume", "--quiet"]) == 0
            elif killed:
                with pytest.raises(Killed):
                    main([str(out), "--resume", "--quiet"])
            else:
                assert main([str(out), "--resume", "--quiet"]) == 130
        assert trained == whole[done : done + 1 + killed], f"after {done} units"
    assert results(out) == expected


def test_a_damaged_unit_is_done_again(tmp_path: Path) -> None:
    import numpy as np

    log = EndLog(tmp_path)
    for unit in (7, 2**63 + 1, 9):
        log.add(unit, {"a": np.arange(unit % 10), "b": np.zeros((2, 3))})
    assert log.find(8) is None
    again = EndLog(tmp_path)
    assert [*map(len, (again.find(7) or {}).values())] == [7, 2]
    whole = (tmp_path / FILE).read_bytes()
    for cut in (len(whole) - 1, len(whole) // 2):
        (tmp_path / FILE).write_bytes(whole[:cut])
        torn = EndLog(tmp_path)
        assert torn.find(9) is None
        torn.add(9, {"c": np.ones(4)})
        found = EndLog(tmp_path).find(9)
        assert found is not None
        assert found["c"].tolist() == [1, 1, 1, 1]
    wrong = bytearray(whole)
    wrong[-1] ^= 1  # the last byte of an array
    (tmp_path / FILE).write_bytes(wrong)
    assert EndLog(tmp_path).find(9) is None
    assert EndLog(tmp_path).find(7) is not None
    again.clear()
    assert again.find(7) is None
