"""A run survives anything: killed at any moment and resumed, it ends in the files of a run that was left alone.

A kill is real where a process of its own gets the signal. Where one comes before every single write, it is
an exception that nothing in the program catches.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from search import pictures
from search.config.config import config_hash, load_config
from search.folder import records
from search.folder.history import ROW, load_history
from search.folder.records import RunFolder
from search.run import main
from tests.helpers.writes import at_writes, largest_file

ROOT = Path(__file__).parents[2]

CONFIG = """
[data]
source = "iris"
[run]
seed = 1
[space]
max_nodes = 15
[search]
population = 8
generations = 6
folds = 2
objectives = ["error", "weights", "class_errors"]
[train]
epochs = 2
[variation]
grow_edge = 0.5
[baselines]
models = []
"""

# Runs the program, and sends the process a signal at the n-th write of a file: before or after its renaming.
DRIVER = """
import os, pathlib, signal, sys
from neuraltree import storing
name, number, which, when, cores, *argv = sys.argv[1:]
left = [int(number)]
def killing(target, write, *what, **how):
    hit = pathlib.Path(target).name == name
    left[0] -= hit
    if hit and left[0] == 0 and when == "before":
        os.kill(os.getpid(), getattr(signal, which))
    write(*what, **how)
    if hit and left[0] == 0 and when == "after":
        print("jax" in sys.modules, flush=True)
        os.kill(os.getpid(), getattr(signal, which))
rename, append = pathlib.Path.replace, storing.append
pathlib.Path.replace = lambda self, target: killing(target, rename, self, target)
storing.append = lambda target, content, **how: killing(target, append, target, content, **how)
if cores != "all":
    os.cpu_count = lambda: int(cores)
if cores == "1":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from search.run import main
sys.exit(main(argv))
"""


class Killed(BaseException):
    """Ends a run where a kill would."""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "tiny.toml"
    path.write_text(CONFIG)
    return path


def run(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "search.run", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def driven(
    out: Path, config: Path, name: str, number: int = 1, which: str = "SIGKILL", when: str = "after", cores: str = "all"
) -> subprocess.CompletedProcess[str]:
    options = (name, str(number), which, when, cores, str(config), "--out", str(out), "--quiet")
    command = [sys.executable, "-c", DRIVER, *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def here(*arguments: object) -> int:
    """The program within this process."""
    return main([*map(str, arguments), "--quiet"])


def status(out: Path) -> str:
    return str(json.loads((out / "manifest.json").read_text())["status"])


def history(out: Path) -> list[list[str]]:
    """Without seconds and compilations, which are as they are."""
    with (out / "history.csv").open(newline="") as file:
        return [row[:5] for row in csv.reader(file)]


def results(out: Path) -> dict[str, object]:
    """All that must not depend on what happened to a run."""
    files = [
        out / "front.csv",
        out / "live.csv",
        out / "archive.npz",
        out / "evolution.npz",
        *sorted((out / "models").iterdir()),
    ]
    found: dict[str, object] = {str(path.relative_to(out)): path.read_bytes() for path in files}
    with np.load(out / "archive.npz", allow_pickle=False) as stored:
        found["archive"] = {name: (stored[name].dtype, stored[name].tobytes()) for name in stored.files}
    manifest = json.loads((out / "manifest.json").read_text())
    found["manifest"] = {key: value for key, value in manifest.items() if key not in ("machine", "cpu_seconds")}
    found["files"] = sorted(str(path.relative_to(out)) for path in out.rglob("*"))
    return found | {"history": history(out)}


@pytest.fixture(scope="module")
def whole(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was left alone, in a process of its own."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    done = run(config, "--out", out)
    assert done.returncode == 0, done.stderr
    return out


def test_the_run_grows_edges(whole: Path) -> None:
    """So what guides them need not be in a checkpoint."""
    with np.load(whole / "evolution.npz", allow_pickle=False) as stored:
        assert 5 < np.count_nonzero(stored["operator"] == "grow_edge") < 40


def test_a_run_leaves_what_it_promises(whole: Path) -> None:
    assert status(whole) == "complete"
    listed = {path.name for path in whole.iterdir()}
    promised = "config.toml manifest.json history.csv live.csv front.csv front.png hypervolume.png archive.npz"
    assert listed == {
        *promised.split(),
        "evolution.npz",
        "held_out.npz",
        "card.md",
        "card.json",
        "checkpoint",
        "models",
        ".lock",
    }
    with (whole / "front.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == [
        *("id", "status", "val_error", "test_error", "test_score", "int8_test_score"),
        *("weights", "nodes", "depth", "macs"),
        *("distinct_activations", "latency_s", "flash_bytes", "ram_bytes", "energy_j", "worst_latency_s"),
        *("measured_latency_s", "measured_flash_bytes", "measured_ram_bytes", "measured_worst_latency_s", "model"),
        *("error_class_setosa", "error_class_versicolor", "error_class_virginica"),
        *("honest_error", "honest_error_se", "band"),
    ]
    assert [row[20] for row in rows] == [f"models/{i:03d}.json" for i in range(len(rows))]
    assert len(rows) >= 2, "a front of one member would make these tests weak"
    with (whole / "history.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == [
        *("generation", "evaluations", "hypervolume", "front_size", "best_error"),
        *("seconds_vary", "seconds_train", "seconds_cost", "seconds_select", "seconds_save", "compilations"),
    ]
    assert [row[:2] for row in rows] == [[str(g), str(8 * (g + 1))] for g in range(7)]
    assert {path.name for path in (whole / "checkpoint").iterdir()} == {
        f"state-00000{g}.{suffix}" for g in (5, 6) for suffix in ("json", "npz")
    }
    manifest = json.loads((whole / "manifest.json").read_text())
    assert manifest["seed"] == 1
    assert manifest["evaluations"] == 56
    assert len(manifest["reference_point"]) == len(manifest["objectives"]) == 5


# Real kills. The file whose writing brings the signal, which write of it, and whether before or after its renaming.
KILLS = [
    ("config.toml", 1, "after"),
    pytest.param("manifest.json", 1, "after", marks=pytest.mark.rare),
    pytest.param("state-000001.json", 1, "after", marks=pytest.mark.rare),
    ("end.log", 2, "before"),  # one of three repeats of the judgement is done
    ("001.json", 1, "before"),  # a model: the front is half written
]


@pytest.mark.parametrize(("name", "number", "when"), KILLS, ids=["config", "manifest", "state", "end", "model"])
def test_a_killed_run_ends_as_if_it_had_not_been(
    whole: Path, config: Path, tmp_path: Path, name: str, number: int, when: str
) -> None:
    out = tmp_path / "out"
    killed = driven(out, config, name, number, when=when)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    if name in ("config.toml", "manifest.json"):
        assert killed.stdout == "False\n", "JAX is imported only after these are written"
    if name != "config.toml":
        assert status(out) == "running"
    assert not (out / "front.csv").exists()
    resumed = run(out, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert results(out) == results(whole)


def test_a_run_of_an_older_engine_resumes_and_says_that_it_changed(config: Path, tmp_path: Path) -> None:
    """Its checkpoints held the sizes of its bins, and its manifest named no engine."""
    out = tmp_path / "out"
    killed = driven(out, config, "state-000002.json")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert "engine" in json.loads((out / "manifest.json").read_text())
    older: list[tuple[Path, dict[str, object]]] = [(out / "manifest.json", {"engine": ""})]
    older += [(path, {"shape": {"trees": 8}}) for path in (out / "checkpoint").glob("state-*.json")]
    for path, change in older:
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
    resumed = run(out, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    said = "the engine changed since the run began: results will not be bit-identical to the original run"
    assert said in resumed.stderr
    assert [row[0] for row in history(out)[1:]] == [*map(str, range(7))]
    assert status(out) == "complete"


def as_of_older_versions(out: Path) -> None:
    """Files in place of logs: an npz file of a generation and kind, and all rows of history.csv in each checkpoint."""
    rows = [
        [None if not cell else float(cell) if "." in cell or "e" in cell else int(cell) for cell in row]
        for row in list(csv.reader((out / "history.csv").read_text().splitlines()))[1:]
    ]
    folder = RunFolder(out)
    for kind in ("archive", "history"):
        with folder.parts(kind) as parts:
            for generation, part in enumerate(parts):
                arrays = {name: part[name] for name in part if name != ROW}
                records.write_npz(folder.checkpoints / f"{kind}-{generation:06d}.npz", arrays)
        for path in folder.checkpoints.glob(f"{kind}-*.log"):
            path.unlink()
    for path in folder.checkpoints.glob("state-*.json"):
        facts = json.loads(path.read_text())
        records.write_json(path, facts | {"history": rows[: facts["generation"] + 1]})


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("table", ["there", "missing"])
def test_a_run_of_an_older_version_goes_on(
    whole: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    out = tmp_path / "out"

    def kill(number: int, path: Path) -> None:
        if path.name == "state-000004.json":
            raise Killed

    with monkeypatch.context() as patch:
        intercept(patch, kill)
        with pytest.raises(Killed):
            here(config, "--out", out)
    before = history(out)[:5]
    as_of_older_versions(out)
    assert len(load_history(out).fronts) == 4
    if table == "missing":
        (out / "history.csv").unlink()
    with monkeypatch.context() as patch:  # it is killed once more by the newer version
        intercept(patch, kill)
        with pytest.raises(Killed):
            here(out, "--resume")
    assert history(out)[:5] == before
    assert len(load_history(out).fronts) == 4
    assert here(out, "--resume") == 0
    assert {**results(out), "manifest": 0} == {**results(whole), "manifest": 0}


@pytest.mark.usefixtures("no_pictures")
def test_a_full_disk_loses_nothing(
    whole: Path, config: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Ten disks: the system lets no file grow beyond so many bytes, the largest of which are logs."""
    reached = []
    for size in (1_000, 3_000, 5_000, 8_000, 12_000, 15_000, 18_000, 20_000, 22_000, 24_000):
        out = tmp_path / str(size)
        with largest_file(size):
            code = main([str(config), "--out", str(out), "--quiet"])
        if code == 0:
            assert size > 20_000
            continue
        assert code == 2
        assert "File too large" in (said := capfd.readouterr().err)
        assert said.count("\n") == 1
        assert not list(out.rglob("*.part"))
        saved = RunFolder(out).last_generation()
        begun = (out / "config.toml").exists()
        reached.append(-1 if saved is None else saved)
        assert here(*((out, "--resume") if begun else (config, "--out", out))) == 0
        assert {**results(out), "manifest": 0} == {**results(whole), "manifest": 0}
    assert min(reached) == -1
    assert len(set(reached)) > 5


def test_a_run_from_before_samples_of_rows_goes_on_with_all_rows(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, always = tmp_path / "out", tmp_path / "all"
    monkeypatch.setattr("search.engine.row_samples.FIRST_ROWS", 10)
    assert here(config, "--out", always, "--generations", "4", "--set", "search.rows=all") == 0
    assert here(config, "--out", out, "--generations", "2", "--set", "search.rows=all") == 0
    lines = [
        line for line in (out / "config.toml").read_text().splitlines(keepends=True) if not line.startswith("rows = ")
    ]
    (out / "config.toml").write_text("".join(lines))
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["config_hash"] = config_hash(load_config(out / "config.toml"))
    (out / "manifest.json").write_text(json.dumps(manifest))
    assert here(out, "--resume", "--generations", "4") == 0
    assert load_config(out / "config.toml").search.rows == "all"
    assert results(out) == results(always)


def test_results_do_not_depend_on_the_number_of_cores(tmp_path: Path) -> None:
    """With many trees and two folds, so that threads have more than one piece of work each, in any order."""
    config = tmp_path / "larger.toml"
    larger = {"population = 8": "population = 130", "generations = 6": "generations = 2"}
    text = CONFIG
    for old, new in larger.items():
        text = text.replace(old, new)
    config.write_text(text)
    for cores in ("1", "4"):
        done = driven(tmp_path / cores, config, "no such file", cores=cores)
        assert done.returncode == 0, done.stderr
    assert len(history(tmp_path / "4")) == 4
    assert results(tmp_path / "1") == results(tmp_path / "4")


# A kill before every single write, in this process.


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of pictures, which take most of a tiny run's time, files of no content."""
    for name in ("draw_front", "draw_hypervolume"):
        monkeypatch.setattr(pictures, name, lambda path, *_: records.write_bytes(path, b""))


def intercept(monkeypatch: pytest.MonkeyPatch, act: Callable[[int, Path], None], when: str = "before") -> None:
    """Calls ``act`` with the number and path of every write."""
    count = [0]

    def counted(path: Path) -> None:
        count[0] += 1
        act(count[0], path)

    at_writes(monkeypatch, counted, when)


@pytest.mark.parametrize("when", [pytest.param("before", marks=pytest.mark.rare), "within"])
@pytest.mark.usefixtures("no_pictures")
def test_a_kill_at_any_write_changes_nothing(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Of as many generations as it takes until an old checkpoint is removed, and one more."""
    begin = (config, "--set", "search.generations=3", "--out")
    writes: list[Path] = []
    with monkeypatch.context() as patch:
        intercept(patch, lambda number, path: writes.append(path))
        assert here(*begin, tmp_path / "whole") == 0
    expected = results(tmp_path / "whole")
    assert len(writes) > 30
    assert not (tmp_path / "whole" / "checkpoint" / "state-000001.json").exists()
    appended = [i for i, path in enumerate(writes, 1) if path.suffix == ".log" or path.name == "history.csv"]
    assert len(appended) == 3 * 4 + 4  # and the judgement's three repeats, and the refit
    for last in range(1, len(writes) + 1) if when == "before" else appended:
        out = tmp_path / str(last)

        def kill(number: int, path: Path, last: int = last) -> None:
            if number == last:
                raise Killed

        with monkeypatch.context() as patch:
            intercept(patch, kill, when)
            with pytest.raises(Killed):
                here(*begin, out)
        begun = (out / "config.toml").exists()
        assert here(*((out, "--resume") if begun else (*begin, out))) == 0
        assert results(out) == expected, f"killed at write {last}"
        shutil.rmtree(out)


@pytest.mark.usefixtures("no_pictures")
def test_a_run_killed_again_and_again_still_ends_the_same(
    whole: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every time it gets to write nineteen times: three generations, or the whole front."""
    out = tmp_path / "out"
    kills = 0

    def kill(number: int, path: Path) -> None:
        if number > 19:
            raise Killed

    arguments: tuple[object, ...] = (config, "--out", out)
    for _ in range(20):
        with monkeypatch.context() as patch:
            intercept(patch, kill)
            try:
                assert here(*arguments) == 0
                break
            except Killed:
                kills += 1
                arguments = (out, "--resume")
    assert kills >= 3
    assert {**results(out), "manifest": 0} == {**results(whole), "manifest": 0}


# Signals that ask.


@pytest.mark.parametrize(
    ("which", "name", "reached"),
    [
        (signal.SIGINT, "config.toml", -1),
        (signal.SIGTERM, "config.toml", -1),
        (signal.SIGTERM, "state-000000.json", 0),
        (signal.SIGINT, "archive-000000.log", 0),
        (signal.SIGTERM, "live.csv", 0),
    ],
)
@pytest.mark.usefixtures("no_pictures")
def test_a_signal_stops_a_run_after_the_generation(
    whole: Path,
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    which: signal.Signals,
    name: str,
    reached: int,
) -> None:
    out = tmp_path / "out"
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    sent: list[Path] = []

    def send(number: int, path: Path) -> None:
        if path.name == name and not sent:
            sent.append(path)
            os.kill(os.getpid(), which)

    with monkeypatch.context() as patch:
        intercept(patch, send, "after")
        assert main([str(config), "--out", str(out)]) == 130
    assert status(out) == "interrupted"
    assert len(history(out)) == 2 + reached if reached >= 0 else not (out / "history.csv").exists()
    said = capsys.readouterr().err
    assert "stopping as soon as the work in progress is saved; press Ctrl-C again to stop at once" in said
    assert f"saved; resume it with: python -m search.run {out} --resume" in said
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert here(out, "--resume") == 0
    assert {**results(out), "manifest": 0} == {**results(whole), "manifest": 0}


@pytest.mark.usefixtures("no_pictures")
def test_a_signal_while_the_front_is_written_lets_the_run_complete(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(number: int, path: Path) -> None:
        if path.name == "000.json":
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        intercept(patch, send)
        assert here(config, "--out", tmp_path / "out") == 0
    assert status(tmp_path / "out") == "complete"


@pytest.mark.usefixtures("no_pictures")
def test_a_second_signal_stops_a_run_at_once(
    whole: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"

    def send(number: int, path: Path) -> None:
        if path.name in ("archive-000000.log", "live.csv") and (out / "checkpoint" / "state-000001.json").exists():
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        intercept(patch, send)
        assert here(config, "--out", out) == 130
    assert "interrupted; if the run has begun, resume it with" in capsys.readouterr().err
    assert status(out) == "interrupted"
    assert len(history(out)) == 3
    assert here(out, "--resume") == 0
    assert {**results(out), "manifest": 0} == {**results(whole), "manifest": 0}


@pytest.fixture
def endless(config: Path, tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A run in a process of its own that has saved its first generations and would go on for minutes."""
    out = tmp_path / "out"
    command = [sys.executable, "-m", "search.run", str(config), "--out", str(out)]
    command += ["--set", "search.generations=1000000"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not list(out.glob("checkpoint/state-00000[1-9].json")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield out, process
        process.kill()


def test_a_running_folder_is_locked_and_a_signal_from_outside_stops_it(
    config: Path, endless: tuple[Path, subprocess.Popen[str]]
) -> None:
    out, process = endless
    for arguments in ((out, "--resume"), (config, "--out", out)):
        refused = run(*arguments)
        assert refused.returncode == 3, refused.stderr
        assert refused.stderr == f"error: {out} is in use by another process; wait for it, or stop it first\n"
    assert process.poll() is None
    assert status(out) == "running"
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert said.endswith(f"saved; resume it with: python -m search.run {out} --resume\n")
    assert status(out) == "interrupted"
    newest = max(int(path.stem.split("-")[1]) for path in out.glob("checkpoint/*.json"))
    assert len(history(out)) == newest + 2


# What is refused.


def test_a_complete_run_says_so_and_is_not_touched(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("*") if path.name != ".lock"}
    assert main([str(whole), "--resume"]) == 0
    said = capsys.readouterr().err
    assert said == f"the run in {whole} is complete; its front is {whole / 'front.csv'}\n"
    assert {path: path.stat().st_mtime_ns for path in whole.rglob("*") if path.name != ".lock"} == before


def test_a_new_run_into_a_complete_one_is_refused(
    whole: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert here(config, "--out", whole) == 2
    assert "is not empty" in capsys.readouterr().err


@pytest.mark.parametrize("option", [("--set", "search.population=9"), ("--seed", "2"), ("--out", "elsewhere")])
def test_a_resumed_run_takes_no_changes(
    whole: Path, option: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert here(whole, "--resume", *option) == 2
    assert "as it was started" in capsys.readouterr().err


@pytest.fixture
def stopped(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run that was killed after its first generation."""

    def kill(number: int, path: Path) -> None:
        if path.name == "state-000001.json":
            raise Killed

    with monkeypatch.context() as patch:
        intercept(patch, kill)
        with pytest.raises(Killed):
            here(config, "--out", tmp_path / "out")
    return tmp_path / "out"


def test_a_config_changed_since_is_refused(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = stopped / "config.toml"
    path.write_text(path.read_text().replace("generations = 6", "generations = 7"))
    assert here(stopped, "--resume") == 2
    assert "config.toml is not what the run began with" in capsys.readouterr().err


def test_data_changed_since_are_refused(tmp_path: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, data = tmp_path / "out", tmp_path / "data.csv"
    table = [f"{i},{(i * i) % 11},{i % 7 + 0.5}" for i in range(60)]
    data.write_text("\n".join(["a,b,y", *table]))
    no_generations = ("--set", "search.generations=0", "--set", "search.objectives=['error','weights']")
    assert here(config, "--out", out, "--set", f"data.source={data}", *no_generations) == 0
    (out / "manifest.json").write_text((out / "manifest.json").read_text().replace('"complete"', '"running"'))
    data.write_text("\n".join(["a,b,y", *table[:-1], "59,9,4.5"]))
    assert here(out, "--resume") == 2
    assert "not what the run began with" in capsys.readouterr().err


@pytest.mark.usefixtures("no_pictures")
def test_a_run_can_be_moved_before_it_is_resumed(whole: Path, stopped: Path, tmp_path: Path) -> None:
    moved = stopped.rename(tmp_path / "moved")
    assert here(moved, "--resume") == 0
    assert {**results(moved), "manifest": 0} == {**results(whole), "manifest": 0}


def test_a_run_that_cannot_begin_leaves_no_folder(
    tmp_path: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert here(config, "--out", tmp_path / "out", "--set", "space.max_nodes=3") == 2
    assert "space.max_nodes = 3" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("no_pictures")
def test_a_run_in_which_no_tree_meets_the_constraints_completes(
    tmp_path: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main([str(config), "--out", str(out), "--set", "constraints.error=0.0"]) == 0
    assert "no tree met the constraints; loosen them or search longer" in capsys.readouterr().err
    assert len((out / "front.csv").read_text().splitlines()) == 1
    assert [row[2:] for row in history(out)[1:]] == [["0.0", "0", ""]] * 7
    assert status(out) == "complete"
