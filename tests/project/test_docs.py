"""The documentation: every block of code runs, generated pages are fresh, links and tables are true."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from neuraltree.cli.markdown import table
from neuraltree.tasks.metrics import AT_LEVEL, METRICS
from search.config.config import load_config
from search.config.settings import Config, DataConfig
from search.errors import InputError
from search.folder.baselines_csv import HEADER as BASELINES
from search.judge.finish import BAND, HEADER, HONEST, THRESHOLD
from search.objectives import BY_NAME, HONEST_MEAN, LOAD, MEAN, ROBUST_SCORE
from search.runs.indicators import HISTORY
from tools.docs.__main__ import main, pages
from tools.docs.configuration import meaning
from tools.docs.reference_tables import noted

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
RUN = [
    ROOT / "README.md",
    *(DOCS / f"{name}.md" for name in ("tutorial", "signals-tutorial", "estimators", "compression")),
]
SHOWN = {"c", "text", "csv", "json"}  # languages that are only shown
MARK = re.compile(r"<!-- not run: \w+.* -->")


class Block(NamedTuple):
    """A fenced block: the line its first line of code is on, and whether it is to be run."""

    language: str
    line: int
    code: str
    run: bool


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    lines = text.splitlines()
    start, last = None, ""
    for number, line in enumerate(lines):
        if line.startswith("```") and start is None:
            start, language, run = number, line[3:].strip(), not MARK.fullmatch(last)
        elif line.startswith("```") and start is not None:
            yield Block(language, start + 2, "\n".join(lines[start + 1 : number]) + "\n", run)
            start = None
        if line.strip():
            last = line.strip()
    assert start is None, f"the block that begins in line {start} has no end"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to follow a page in, with the configs and examples of the checkout, where ``python`` is this one.

    What a page installs is here already, so ``python -m pip`` does nothing; nor does ``python -m pytest``, which would
    run these tests again.
    """
    for name in ("experiments", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    programs = tmp_path / "programs"
    programs.mkdir()
    stub = programs / "python"
    stub.write_text(f'#!/bin/sh\ncase "$1 $2" in "-m pip"|"-m pytest") exit 0;; esac\nexec "{sys.executable}" "$@"\n')
    stub.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def follow(page: str, text: str) -> None:
    """Run the blocks of a page in order; those of Python share their names, as in one session."""
    session: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(text):
        where = f"{page}, line {block.line}"
        assert block.language in {"bash", "python", "toml", *SHOWN}, f"{where}: a block in {block.language!r}"
        if not block.run or block.language in SHOWN:
            continue
        if block.language == "python":
            exec(compile("\n" * (block.line - 1) + block.code, page, "exec"), session)
        elif block.language == "bash":
            done = subprocess.run(["bash", "-ec", block.code], text=True, capture_output=True, check=False)
            assert done.returncode == 0, f"{where}: {done.stdout}{done.stderr}"
        else:
            named = re.match(r"# (\S+\.toml)\n", block.code)
            path = Path(named[1] if named else "unnamed.toml")
            path.write_text(block.code)
            load_config(path)


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.rare] * (path.name != "README.md"), id=path.name) for path in RUN],
)
def test_every_block_of_code_runs(path: Path, folder: Path) -> None:
    follow(path.name, path.read_text())


def test_the_tutorial_ends_with_the_self_test_of_c_code() -> None:
    """It ran above; here it is seen not to have lost that step."""
    code = [block.code for block in blocks((DOCS / "tutorial.md").read_text()) if block.run]
    assert any(text.endswith("-o check\n./check\n") for text in code)


def test_a_block_that_fails_is_noticed(folder: Path) -> None:
    """So that the tests above can fail."""
    follow("page", "```python\nx = 1\n```\n```python\nassert x == 1\n```\n```bash\ntrue\n```\n")
    with pytest.raises(AssertionError, match="page, line 2"):
        follow("page", "```bash\nfalse\ntrue\n```\n")
    with pytest.raises(ZeroDivisionError):
        follow("page", "```python\n1 / 0\n```\n")
    with pytest.raises(InputError, match="unknown section or key x"):
        follow("page", "```toml\nx = 1\n```\n")
    with pytest.raises(AssertionError, match="a block in 'pyhton'"):
        follow("page", "```pyhton\n```\n")
    follow("page", "<!-- not run: installs -->\n```bash\nfalse\n```\n")
    follow(
        "page", "```toml\n# a.toml\ndata.source = 'iris'\n```\n```bash\ntest -s a.toml\npython -m pip install x\n```\n"
    )


def test_few_blocks_are_not_run() -> None:
    left = [(path.name, block.line) for path in RUN for block in blocks(path.read_text()) if not block.run]
    assert len(left) <= 5, left


# Pages that are written from the code.


def test_generated_pages_are_what_the_command_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / name) for name in [*pages(), "forest.png"]]
    for name in pages():
        fresh, kept = (tmp_path / name).read_text(), (DOCS / name).read_text()
        assert fresh == kept, f"docs/{name} is stale; write it anew: python -m tools.docs"
    for path in (tmp_path / "forest.png", DOCS / "forest.png"):
        assert path.read_bytes().startswith(b"\x89PNG")


def test_a_folder_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(tmp_path / "none")]) == 2
    assert "is not a folder" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_to_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tables.md").mkdir()
    assert main(["--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"error: {tmp_path / 'tables.md'}: Is a directory\n"


def test_the_configuration_has_every_key() -> None:
    text = (DOCS / "configuration.md").read_text()
    sections = dict(re.findall(r"^## \[(\w+)\]\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert list(sections) == list(Config.__struct_fields__)
    for name in Config.__struct_fields__:
        section = Config.__annotations__[name]
        keys = re.findall(r"^\| `(\w+)` ", sections[name], re.MULTILINE)
        struct = vars(sys.modules["search.config.settings"]).get(str(section))
        assert keys == list(getattr(struct, "__struct_fields__", ())), name


def test_a_key_without_a_meaning_is_noticed() -> None:
    with pytest.raises(ValueError, match="has 0 descriptions"):
        meaning(int)
    assert DataConfig.__struct_fields__[0] == "source"


def test_names_without_a_note_are_noticed() -> None:
    with pytest.raises(ValueError, match="write a note for each of"):
        noted(["a", "b"], {"a": "A"}, "name")
    assert noted(["a"], {"a": "x|y"}, "name") == "| name | what it is |\n| - | - |\n| `a` | x\\|y |"


def test_the_tables_have_every_metric() -> None:
    text = (DOCS / "tables.md").read_text()
    named = re.findall(r"^\| `(\w+?)(?:_LEVEL)?` \|", text, re.MULTILINE)
    assert {*METRICS, *AT_LEVEL} <= {BY_NAME[name].column for name in named if name in BY_NAME}
    assert table(("a",), [("1",)]) == "| a |\n| - |\n| 1 |"


# Tables that are written by hand.


@pytest.mark.parametrize(
    ("heading", "columns"),
    [
        ("front.csv and live.csv", (*HEADER, MEAN, *HONEST, THRESHOLD, BAND, HONEST_MEAN, ROBUST_SCORE, LOAD)),
        ("history.csv", HISTORY),
        ("baselines.csv", BASELINES),
    ],
)
def test_the_columns_of_csv_files_are_documented(heading: str, columns: Sequence[str]) -> None:
    text = (DOCS / "files.md").read_text()
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \| \S", section, re.MULTILINE) == list(columns)


def test_links_lead_somewhere() -> None:
    """Files in the checkout, and headings in pages."""
    broken = []
    for path in PAGES:
        text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            place, _, heading = target.partition("#")
            if "://" in target:
                continue
            other = (path.parent / place).resolve() if place else path
            if not other.exists() or (heading and heading not in anchors(other.read_text())):
                broken.append(f"{path.name}: {target}")
    assert not broken


def anchors(text: str) -> set[str]:
    """What a page's headings are called in links, as GitHub does it."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_index_has_every_page() -> None:
    text = (DOCS / "README.md").read_text()
    assert {path.name for path in DOCS.glob("*.md")} - {"README.md"} == set(re.findall(r"\]\((\w[\w-]*\.md)\)", text))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_names_no_machine(path: Path) -> None:
    assert not re.search(r"/home/|/root/|/work/|/opt/", path.read_text())


def test_the_tutorials_table_of_figures_is_cut_where_it_says() -> None:
    """``cut -f`` counts columns; should they move, so must the tutorial."""
    chosen = next(csv.reader([",".join(HEADER)]))
    assert [chosen[i - 1] for i in (3, 6, 7, 8, 12, 13, 14)] == [
        *("val_error", "int8_test_score", "weights", "nodes", "latency_s", "flash_bytes", "ram_bytes"),
    ]
