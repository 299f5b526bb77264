"""The files for clusters do what docs/cluster.md says, as far as it can be done on one machine."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from search import run, worker
from tests.helpers.executor_runs import TOML

ROOT = Path(__file__).parents[2]
CLUSTER = ROOT / "examples" / "cluster"
PARSERS = {"search.run": run.parser, "search.worker": worker.parser}
INSTRUCTIONS = {"FROM", "RUN", "COPY", "ENV", "USER", "WORKDIR", "CMD"}


def commands(path: Path) -> list[list[str]]:
    """The words of every command of ours in a file."""
    found = re.findall(r"python -m (search\.(?:run|worker)[^\n`&]*)", path.read_text())
    return [shlex.split(line.split("   #")[0]) for line in found]


FILES = (CLUSTER / "Dockerfile", CLUSTER / "search.slurm", ROOT / "docs" / "cluster.md")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_command_is_one(path):
    found = [words for words in commands(path) if "..." not in words and len(words) > 1]
    assert found
    for module, *words in found:
        numbers = ["4" if word == "$SLURM_CPUS_PER_TASK" else word for word in words]
        PARSERS[module]().parse_args(numbers)


def test_the_image_installs_extras_that_there_are():
    lines = (CLUSTER / "Dockerfile").read_text().splitlines()
    assert {line.split()[0] for line in lines if line and not line.startswith("#")} <= INSTRUCTIONS
    (extras,) = re.findall(r'"/src\[(.*)\]"', "\n".join(lines))
    there = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(extras.split(",")) <= there.keys()


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_the_slurm_job_ends_the_run_and_goes_on_with_one(tmp_path):
    bin = tmp_path / "bin"
    bin.mkdir()
    (bin / "srun").write_text('#!/bin/sh\nexec "$@"\n')
    (bin / "python").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    for command in bin.iterdir():
        command.chmod(0o755)
    config, out = tmp_path / "small.toml", tmp_path / "run"
    config.write_text(TOML)
    environment = os.environ | {"PATH": f"{bin}:{os.environ['PATH']}", "SLURM_CPUS_PER_TASK": "1"}
    for said in ("front.csv", "is complete"):
        done = subprocess.run(
            ["bash", str(CLUSTER / "search.slurm"), str(config), str(out)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert said in done.stderr
    assert (out / "front.csv").is_file()
