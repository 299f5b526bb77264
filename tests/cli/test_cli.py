"""The command line where nothing is wrong and nothing is run: its help, and its dry run."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from search.config.config import load_config
from search.engine.problem import set_up
from search.run import main
from search.table.loading import load_table

HEAVY = {"jax", "sklearn", "numpy", "scipy", "deap", "moocore", "matplotlib", "msgspec", "rich"}
TABLE = "p,q,label\n" + "\n".join(f"{i},{i * i % 7},{'abc'[i % 3]}" for i in range(60))
CONFIG = '[data]\nsource = "t.csv"\n[search]\npopulation = 4\ngenerations = 3\nfolds = 2\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with a config and its table."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.toml").write_text(CONFIG)
    (tmp_path / "t.csv").write_text(TABLE)
    return tmp_path


def process(*arguments: str) -> tuple[int, str, set[str], list[str]]:
    """Exit code, standard output, the top-level modules that were imported, and the rest of standard error."""
    command = [sys.executable, "-X", "importtime", "-m", "search.run", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stderr.splitlines()
    imports = [line for line in lines if line.startswith("import time:")]
    modules = {line.split("|")[-1].strip().split(".")[0] for line in imports}
    return done.returncode, done.stdout, modules, [line for line in lines if line not in imports]


def test_help_needs_nothing_heavy() -> None:
    code, output, modules, errors = process("--help")
    assert (code, errors) == (0, [])
    assert "search" in modules
    assert not modules & HEAVY
    for option in ("path", "--set", "--seed", "--out", "--resume", "--dry-run", "--quiet", "--json"):
        assert option in output
    for meaning in ("0 done", "2 bad input", "3 run folder in use", "130 interrupted"):
        assert meaning in output


def test_without_arguments_one_line_says_what_is_missing() -> None:
    code, output, modules, errors = process()
    assert (code, output) == (2, "")
    assert errors == [
        "error: the following arguments are required: path; see python -m search.run --help",
    ]
    assert not modules & HEAVY


def test_a_bad_table_is_refused_before_jax_is_imported(here: Path) -> None:
    (here / "t.csv").write_text(TABLE.replace("\n7,", "\ninf,"))
    code, _, modules, errors = process("my.toml")
    assert (code, len(errors)) == (2, 1)
    assert "numpy" in modules
    assert not modules & {"jax", "sklearn", "matplotlib"}


@pytest.mark.parametrize(
    ("arguments", "changes"),
    [
        ([], {"run": {"out": "results/my"}}),
        (["--seed", "7", "--out", "results/b"], {"run": {"seed": 7, "out": "results/b"}}),
        (["--set", 'search.objectives=["error", "nodes"]'], {"search": {"objectives": ["error", "nodes"]}}),
        (["--set", "space.max_nodes=10000"], {"space": {"max_nodes": 10000}}),
        (["--set", "search.population=1000000"], {"search": {"population": 1000000}}),
        (["--set", "train.epochs=100000"], {"train": {"epochs": 100000}}),
    ],
)
def test_a_dry_run_prints_the_config_as_it_would_run_and_leaves_nothing(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: Sequence[str], changes: dict[str, dict[str, object]]
) -> None:
    expected = msgspec.json.decode(msgspec.json.encode(load_config(Path("my.toml"))))
    for section, values in changes.items():
        expected[section] |= values
    assert main(["my.toml", *arguments, "--dry-run"]) == 0
    output, errors = capsys.readouterr()
    assert tomllib.loads(output) == expected
    assert "60 rows, 12 of them for the test" in output
    assert f"{expected['search']['population'] * 4:,} trees x 2 folds" in output
    assert ("far more than 10^" in output) == (expected["space"]["max_nodes"] == 10000)
    assert errors == ""
    assert sorted(path.name for path in here.iterdir()) == ["my.toml", "t.csv"]


def test_a_batch_is_never_larger_than_the_training_rows() -> None:
    config = load_config(Path("my.toml"), ["train.batch_size=2147483647"])
    assert set_up(config, load_table(config)).problem.settings.batch_size == 48


@pytest.mark.parametrize("number", [0, 1, 4])
def test_a_disk_that_fills_up_is_one_line(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    """At the first file, before the search begins and after it has begun; the run can be resumed."""
    write, done = Path.write_bytes, []

    def full(self: Path, content: bytes) -> int:
        if len(done) == number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done.append(self)
        return write(self, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        assert main(["my.toml", "--out", "r", "--quiet"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: r/")
    assert said.endswith(
        "No space left on device; if the run has begun, resume it with: python -m search.run r --resume\n"
    )
    assert said.count("\n") == 1
    assert main(["r", "--resume", "--quiet"] if number else ["my.toml", "--out", "r", "--quiet"]) == 0
