"""Experiment trackers of other projects, one row each in ``TRACKERS``: what each is told of a run, and how.

``main`` is the process of one tracker, which ``tracking.Told`` starts. Packages come with the extra ``[tracking]``.
Nothing is written outside the run's folder and the store that was named.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

PROJECT = "neuraltree"  # the name of the experiment, or of the project
TAG = "neuraltree.tracking_id"
PROBLEM = "problem: "  # begins the line by which a process says why it ends
MOST_PARAMS = 100  # of one request to MLflow
LONGEST_PARAM = 500  # letters of a value, which every version of MLflow takes
# For the processes alone. MLflow's telemetry leaves a file among the user's settings, and it tries for minutes to reach
# a server that is away.
ENVIRONMENT = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}
SQLITE = "sqlite:///"  # a store whose files would lie in the current folder; they lie beside it
START_S = 30  # Weights & Biases: for a run to begin


class Begun(NamedTuple):
    """A run when it begins or is resumed. ``key``: the same for all its parts. ``done``: the last generation whose row
    is in the tracker already, -1 if there is none. ``settings``: its config, by ``section.key``."""

    folder: Path
    key: str
    done: int
    settings: dict[str, str]


class Backend(Protocol):
    """One tracker; an exception ends the tracking, and not the run."""

    def begin(self, run: Begun) -> None: ...
    def generation(self, step: int, figures: Mapping[str, float]) -> None: ...
    def end(self, files: Sequence[Path], complete: bool) -> None:
        """``files``: those of the run's folder that are results; ``complete``: whether the search reached its end."""


class MlflowBackend:
    """A run of MLflow, in the experiment "neuraltree" of a tracking server or store."""

    def begin(self, run: Begun) -> None:
        from mlflow import MlflowClient
        from mlflow.entities import Param

        store = run.settings["tracking.mlflow"]
        self.client = MlflowClient(tracking_uri=store, registry_uri=store)
        found = self.client.get_experiment_by_name(PROJECT)
        beside = (
            str(Path(store.removeprefix(SQLITE)).absolute().parent / "mlruns") if store.startswith(SQLITE) else None
        )
        experiment = found.experiment_id if found else self.client.create_experiment(PROJECT, beside)
        earlier = self.client.search_runs([experiment], f"tags.`{TAG}` = '{run.key}'", max_results=1)
        if earlier:
            self.id = earlier[0].info.run_id
            self.client.update_run(self.id, status="RUNNING")
            return
        self.id = self.client.create_run(experiment, run_name=run.folder.name, tags={TAG: run.key}).info.run_id
        settings = [Param(name, value[:LONGEST_PARAM]) for name, value in run.settings.items()]
        for first in range(0, len(settings), MOST_PARAMS):
            self.client.log_batch(self.id, params=settings[first : first + MOST_PARAMS])

    def generation(self, step: int, figures: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        self.client.log_batch(self.id, metrics=[Metric(name, value, now, step) for name, value in figures.items()])

    def end(self, files: Sequence[Path], complete: bool) -> None:
        for path in files:
            self.client.log_artifact(self.id, str(path))
        self.client.set_terminated(self.id, "FINISHED" if complete else "KILLED")


class TensorboardBackend:
    """Event files in the folder ``tensorboard`` of the run."""

    def begin(self, run: Begun) -> None:
        from tensorboardX import SummaryWriter

        # Rows after the last checkpoint are written again, and TensorBoard drops the first ones.
        again = {"purge_step": run.done + 1} if run.done >= 0 else {}
        self.writer = SummaryWriter(str(run.folder / "tensorboard"), **again)
        self.step = max(run.done, 0)

    def generation(self, step: int, figures: Mapping[str, float]) -> None:
        self.step = step
        for name, value in figures.items():
            self.writer.add_scalar(name, value, step)
        self.writer.flush()

    def end(self, files: Sequence[Path], complete: bool) -> None:
        from tensorboardX.proto.summary_pb2 import Summary

        for path in files:
            if path.suffix == ".png":
                image = Summary.Value(tag=path.name, image=Summary.Image(encoded_image_string=path.read_bytes()))
                self.writer.file_writer.add_summary(Summary(value=[image]), self.step)
            else:  # as it is, in Markdown
                text = "".join(f"    {line}\n" for line in path.read_text("utf-8").splitlines())
                self.writer.add_text(path.name, text, self.step)
        self.writer.close()


class WandbBackend:
    """A run of Weights & Biases, in the project "neuraltree"; what it writes on this machine is in the run's folder."""

    def begin(self, run: Begun) -> None:
        import wandb

        if os.environ.get("WANDB_MODE", "online") == "online" and not wandb.login(prompt=False):
            raise ValueError("no key is known; log in with: wandb login, or set WANDB_MODE=offline")
        quiet = wandb.Settings(console="off", silent=True, init_timeout=START_S, disable_git=True, x_disable_stats=True)
        about: dict[str, Any] = {"project": PROJECT, "name": run.folder.name, "dir": str(run.folder), "settings": quiet}
        self.folder = run.folder
        self.run = wandb.init(id=run.key, resume="allow", config=run.settings, **about)

    def generation(self, step: int, figures: Mapping[str, float]) -> None:
        self.run.log(dict(figures), step=step)

    def end(self, files: Sequence[Path], complete: bool) -> None:
        for path in files:
            self.run.save(str(path), base_path=str(self.folder), policy="now")
        self.run.finish(exit_code=0 if complete else 1)


class TrackerRow(NamedTuple):
    """``package``: what must be importable for ``make``'s first call."""

    package: str
    make: Callable[[], Backend]


TRACKERS: dict[str, TrackerRow] = {  # by the key of the section ``[tracking]``
    "mlflow": TrackerRow("mlflow", MlflowBackend),
    "tensorboard": TrackerRow("tensorboardX", TensorboardBackend),
    "wandb": TrackerRow("wandb", WandbBackend),
}


def figures_of(row: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a generation's row, without those that are absent or not finite."""
    numbers = {name: value for name, value in row.items() if isinstance(value, int | float) and name != "generation"}
    return {name: float(value) for name, value in numbers.items() if math.isfinite(value)}


def follow(backend: Backend, lines: Iterable[str]) -> None:
    """Make the calls of lines of JSON, whose key ``call`` is one of a backend."""
    begun = False
    for line in lines:
        told = json.loads(line)
        call = told.pop("call")
        if call == "begin":
            backend.begin(Begun(Path(told["folder"]), told["key"], told["done"], told["settings"]))
            begun = True
        elif call == "generation":
            backend.generation(**told)
        elif begun:  # a run may end before its search begins
            backend.end([Path(path) for path in told["files"]], told["complete"])


def main(name: str) -> int:
    """Returns the exit code."""
    for key, value in ENVIRONMENT.items():
        os.environ.setdefault(key, value)
    try:
        follow(TRACKERS[name].make(), sys.stdin)
    except Exception as error:  # of any package
        print(f"{PROBLEM}{' '.join(str(error).split()) or type(error).__name__}")
        return 1
    return 0
