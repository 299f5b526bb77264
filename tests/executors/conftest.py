"""The small run of executors as a config file, and what threads find."""

from __future__ import annotations

from pathlib import Path

import pytest

from search.run import main
from tests.helpers.executor_runs import TOML, files


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "small.toml"
    path.write_text(TOML)
    return path


@pytest.fixture(scope="session")
def alone(config: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The results of threads."""
    out = tmp_path_factory.mktemp("alone") / "run"
    assert main([str(config), "--out", str(out), "--quiet"]) == 0
    return files(out)
