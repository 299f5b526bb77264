"""Experiment trackers: each store holds what the run said, a resumed run is the same run there, and no tracker that is
missing or away ends a search."""

from __future__ import annotations

import csv
import json
import os
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from search.config.config import config_hash, load_config
from search.folder.records import RunFolder
from search.run import main
from search.runs import tracking
from search.runs.tracker_backends import PROBLEM, TRACKERS, WandbBackend, figures_of, follow
from search.runs.tracker_backends import main as track

CONFIG = """[data]
source = "iris"
[search]
generations = 2
population = 10
[train]
epochs = 2
[baselines]
models = []
"""


def need(*packages: str) -> None:
    for package in packages:
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed: pip install 'neuraltree[tracking]' tensorboard")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config, and a home folder that must stay without settings."""
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("WANDB_MODE", "offline")
    (tmp_path / "run.toml").write_text(CONFIG)
    return tmp_path / "run.toml"


def run(config: Path, *overrides: str) -> Path:
    out = config.parent / "out"
    sets = [word for text in overrides for word in ("--set", text)]
    assert main([str(config), *sets, "--out", str(out), "--quiet"]) == 0
    return out


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "history.csv").open() as file:
        return list(csv.DictReader(file))


def settings_at_home(config: Path) -> list[str]:
    """What is in the home folder but caches."""
    home = config.parent / "home"
    files = [path.relative_to(home) for path in home.rglob("*") if path.is_file()]
    return [str(path) for path in files if path.parts[0] not in (".cache", "matplotlib")]


@pytest.mark.filterwarnings("ignore")  # of MLflow's own libraries, which this test uses to read
def test_mlflow_holds_the_run_and_its_later_part(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    need("mlflow", "sqlalchemy", "alembic")
    store = f"sqlite:///{config.parent}/runs.db"
    out = run(config, f'tracking.mlflow="{store}"')
    assert main([str(out), "--resume", "--generations", "3", "--quiet"]) == 0
    assert "tracking" not in capsys.readouterr().err
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=store)
    (found,) = client.search_runs([client.get_experiment_by_name("neuraltree").experiment_id])
    assert found.info.status == "FINISHED"
    assert found.data.params["search.population"] == "10"
    told = client.get_metric_history(found.info.run_id, "hypervolume")
    assert [row.step for row in told] == [0, 1, 2, 3]
    assert [row.value for row in told] == [float(row["hypervolume"]) for row in rows_of(out)]
    there = {path.path for path in client.list_artifacts(found.info.run_id)}
    assert there == {"config.toml", "front.csv", "front.png", "hypervolume.png", "card.md"}
    assert settings_at_home(config) == []


def test_tensorboard_reads_what_was_written(config: Path) -> None:
    need("tensorboardX", "tensorboard")
    out = run(config, "tracking.tensorboard=true")
    assert main([str(out), "--resume", "--generations", "3", "--quiet"]) == 0
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(out / "tensorboard")).Reload()
    told = events.Scalars("hypervolume")
    assert [row.step for row in told] == [0, 1, 2, 3]
    wanted = [float(row["hypervolume"]) for row in rows_of(out)]
    assert [row.value for row in told] == pytest.approx(wanted, rel=1e-6)
    assert (out / "front.png").read_bytes() in [image.encoded_image_string for image in events.Images("front.png")]
    assert settings_at_home(config) == []


def test_wandb_offline_keeps_the_run_in_its_folder(config: Path) -> None:
    need("wandb")
    out = run(config, "tracking.wandb=true")
    key = json.loads((out / "manifest.json").read_text())["tracking_id"]
    (folder,) = (out / "wandb").glob("offline-run-*")
    assert folder.name.endswith(f"-{key}")
    told = (folder / f"run-{key}.wandb").read_bytes()
    assert all(text in told for text in (b"hypervolume", b"search.population", b"front.csv"))
    assert rows_of(out)[-1]["hypervolume"].encode() in told
    assert settings_at_home(config) == []


def test_wandb_is_called_as_documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in for the package, which also counts for a key that nobody has."""
    calls: list[tuple[str, object]] = []

    class Run:
        def log(self, figures: dict[str, float], step: int) -> None:
            calls.append(("log", (figures, step)))

        def save(self, path: str, base_path: str, policy: str) -> None:
            calls.append(("save", Path(path).relative_to(base_path).name))

        def finish(self, exit_code: int) -> None:
            calls.append(("finish", exit_code))

    def init(**given: object) -> Run:
        calls.append(("init", (given["id"], given["resume"], given["dir"], given["config"])))
        return Run()

    stand_in = ModuleType("wandb")
    monkeypatch.setitem(sys.modules, "wandb", stand_in)
    for name, value in {"init": init, "login": lambda prompt: False, "Settings": lambda **given: given}.items():
        monkeypatch.setattr(stand_in, name, value, raising=False)
    begun = {"call": "begin", "folder": str(tmp_path), "key": "k", "done": -1, "settings": {"a.b": "1"}}
    generation = {"call": "generation", "step": 4, "figures": {"h": 0.5}}
    lines = [begun, generation, {"call": "end", "files": [str(tmp_path / "front.csv")], "complete": True}]
    monkeypatch.setenv("WANDB_MODE", "offline")
    follow(WandbBackend(), map(json.dumps, lines))
    wanted = ("init", ("k", "allow", str(tmp_path), {"a.b": "1"}))
    assert calls == [wanted, ("log", ({"h": 0.5}, 4)), ("save", "front.csv"), ("finish", 0)]
    monkeypatch.setenv("WANDB_MODE", "online")
    with pytest.raises(ValueError, match="no key is known; log in with: wandb login"):
        follow(WandbBackend(), map(json.dumps, lines))


@pytest.mark.parametrize("name", TRACKERS)
def test_a_missing_package_is_named_before_the_run_begins(
    name: str, config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "find_spec", lambda package: None)
    value = '"http://127.0.0.1"' if name == "mlflow" else "true"
    assert main([str(config), "--set", f"tracking.{name}={value}", "--out", str(config.parent / "out")]) == 2
    wanted = f"tracking.{name} needs the package {TRACKERS[name].package}: pip install 'neuraltree[tracking]'"
    assert wanted in capsys.readouterr().err
    assert not (config.parent / "out").exists()


def test_a_server_that_is_away_is_one_warning(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    need("mlflow")
    with socket.socket() as closed:  # bound and not listening: connections are refused
        closed.bind(("127.0.0.1", 0))
        out = run(config, f'tracking.mlflow="http://127.0.0.1:{closed.getsockname()[1]}"')
    said = capsys.readouterr().err
    assert said.count("tracking.mlflow failed, and the run goes on without it: ") == 1
    assert json.loads((out / "manifest.json").read_text())["status"] == "complete"


def test_a_tracker_that_takes_too_long_is_ended(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = config.parent / "stuck"
    (stuck / "tensorboardX").mkdir(parents=True)
    (stuck / "tensorboardX" / "__init__.py").write_text("import time\ntime.sleep(600)\n")
    monkeypatch.syspath_prepend(str(stuck))
    monkeypatch.setattr(tracking, "WAIT_S", 0.2)
    run(config, "tracking.tensorboard=true")
    assert "tracking.tensorboard failed, and the run goes on without it: it has not taken" in capsys.readouterr().err


def test_the_process_says_why_it_ends(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(sys, "stdin", ['{"call": "begin"}\n'])
    assert track("tensorboard") == 1
    assert capsys.readouterr().out == f"{PROBLEM}'folder'\n"


def test_tracking_changes_no_result(config: Path) -> None:
    plain, told = load_config(config), load_config(config, ["tracking.tensorboard=true"])
    assert config_hash(plain) == config_hash(told)


def test_only_finite_numbers_are_figures() -> None:
    row = {"generation": 3, "a": 1, "b": None, "c": float("nan"), "d": 0.5, "e": "text"}
    assert figures_of(row) == {"a": 1.0, "d": 0.5}


def test_a_run_without_trackers_has_no_id(config: Path) -> None:
    out = run(config)
    assert tracking.KEY not in RunFolder(out).read_manifest()
