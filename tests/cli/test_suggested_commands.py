"""Commands that messages suggest can be pasted into a shell: their paths are quoted."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from neuraltree.cli.command import BAD_INPUT
from search.run import main

ROOT = Path(__file__).parents[2]
COMMAND = re.compile(r"python -m [\w.]+ |neuraltree\.\w+ |neuraltree (export|show|predict|compress|fit|split|inspect) ")
QUOTE = "shlex.quote("
PLAIN = {"form", "given", "ending", "compiler", "''.join(options.values())", "code"}  # words that need no quotes


def suggested(tree: ast.AST) -> Iterator[tuple[ast.JoinedStr, str]]:
    """The values that are put into commands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            after = False
            for part in node.values:
                if isinstance(part, ast.Constant):
                    after = after or bool(COMMAND.search(str(part.value)))
                elif after and isinstance(part, ast.FormattedValue):
                    yield node, ast.unparse(part.value)


def quoted_names(tree: ast.AST) -> set[str]:
    """The names to which something quoted is assigned."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            pairs = (
                zip(target.elts, value.elts, strict=False)
                if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
                else [(target, value)]
            )
            found |= {ast.unparse(name) for name, given in pairs if ast.unparse(given).startswith(QUOTE)}
    return found


def test_every_value_in_a_suggested_command_is_quoted() -> None:
    count, wrong = 0, []
    for package in ("neuraltree", "search"):
        for path in sorted((ROOT / package).rglob("*.py")):
            tree = ast.parse(path.read_text())
            fine = PLAIN | quoted_names(tree)
            for node, value in suggested(tree):
                count += 1
                if not value.startswith(QUOTE) and value not in fine:
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {value}")
    assert wrong == []
    assert count >= 12


def test_an_unquoted_value_is_found() -> None:
    tree = ast.parse("f'resume it: python -m search.run {folder} --resume'")
    assert [value for _, value in suggested(tree)] == ["folder"]


def test_a_folder_with_blanks_can_be_pasted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.toml").write_text('[data]\nsource = "iris"\n')
    folder = tmp_path / "it's mine"
    folder.mkdir()
    (folder / "config.toml").touch()
    assert main([str(tmp_path / "c.toml"), "--out", str(folder)]) == BAD_INPUT
    command = capsys.readouterr().err.partition("resume the run in it: ")[2]
    assert shlex.split(command) == ["python", "-m", "search.run", str(folder), "--resume"]
