"""How every command behaves in a shell: help, version, exit codes, plain output, and readers that go away."""

from __future__ import annotations

import ast
import atexit
import errno
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

import neuraltree
from neuraltree.cli import command
from neuraltree.cli.command import CLOSED, INTERRUPTED, fail_of_system, plain, run_command
from neuraltree.engine.lowering import engine_name

ROOT = Path(__file__).parents[2]


def is_command(source: str) -> bool:
    """Whether a module can be run: it has a statement ``if __name__ == "__main__"``, and not just a text of one."""
    tests = [ast.unparse(node.test) for node in ast.parse(source).body if isinstance(node, ast.If)]
    return "__name__ == '__main__'" in tests


COMMANDS = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
    for package in ("neuraltree", "search", "tools")
    for path in (ROOT / package).rglob("*.py")
    if is_command(path.read_text())
)
# NumPy takes a tenth of a second; each of these takes longer.
HEAVY = {"jax", "optax", "sklearn", "scipy", "pandas", "matplotlib", "deap", "moocore", "plotly", "onnx", "sympy"}
ESCAPE = re.compile(rb"\x1b")
LIST = ("neuraltree.hardware", "--list")

every_command = pytest.mark.parametrize("command", COMMANDS)


def run(*arguments: str, options: tuple[str, ...] = (), **keywords: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, *options, "-m", *arguments]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, **keywords)


def test_the_commands() -> None:
    """So that the tests below have something to look at."""
    assert {"search.run", "tools.docs", "neuraltree.export", "neuraltree.hardware"} <= set(COMMANDS)
    assert "neuraltree.hardware.calibrate" in COMMANDS
    assert not is_command("text = '''\nif __name__ == \"__main__\":\n    pass\n'''")


@cache
def help_of(command: str) -> subprocess.CompletedProcess[str]:
    return run(command, "--help", options=("-X", "importtime"))


@every_command
def test_help_says_the_exit_codes_and_loads_nothing_heavy(command: str) -> None:
    done = help_of(command)
    lines = done.stderr.splitlines()
    imports = [line for line in lines if line.startswith("import time:")]
    assert (done.returncode, [line for line in lines if line not in imports]) == (0, [])
    assert not {line.split("|")[-1].strip().split(".")[0] for line in imports} & HEAVY
    text = " ".join(done.stdout.split())
    assert text.startswith(f"usage: python -m {command} ")
    assert "--version" in text
    said = dict(re.findall(r"(\d+) ([a-z ]+)", text[text.index("exit codes:") :]))
    assert said["0"] == "done"
    assert said["2"] == "bad input"
    assert said["130"].startswith("interrupted")


@every_command
def test_the_page_of_commands_has_every_exit_code_of_the_help(command: str) -> None:
    text = help_of(command).stdout
    codes = set(re.findall(r"\b(\d+) [a-z]", text[text.index("exit codes:") :]))
    page = (ROOT / "docs" / "commands.md").read_text()
    documented = dict(re.findall(r"^\| (\d+) \| (.+?) \|$", page, re.MULTILINE))
    assert codes <= set(documented)
    assert f"`python -m {command}`" in page
    assert str(CLOSED) in documented


@every_command
def test_the_version(command: str) -> None:
    done = run(command, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"neuraltree {neuraltree.__version__}, engine: {engine_name()}\n"


@every_command
def test_an_unknown_option_is_one_line_on_standard_error(command: str) -> None:
    done = run(command, "--no-such-option")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(rf"error: .*; see python -m {re.escape(command)} --help\n", done.stderr)


# A reader that goes away, as in: command | head -1


def closed_pipe() -> int:
    """A place to write to that nobody reads any more."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@pytest.mark.parametrize("arguments", [*((command, "--help") for command in COMMANDS), LIST])
def test_a_reader_that_has_gone_ends_a_command_quietly(arguments: tuple[str, ...]) -> None:
    writer = closed_pipe()
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        stdout=writer,
        stderr=subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


def test_messages_that_nobody_reads_end_a_command_quietly() -> None:
    writer = closed_pipe()
    command = [sys.executable, "-m", "search.run", "no-such.toml"]
    done = subprocess.run(command, cwd=ROOT, stdout=writer, stderr=writer, check=False)
    os.close(writer)
    assert done.returncode == 128 + signal.SIGPIPE


def test_a_closed_standard_output_is_no_error() -> None:
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -m neuraltree.export --version >&-'],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def interrupted() -> int:
    raise KeyboardInterrupt


@pytest.fixture
def handler() -> Iterator[None]:
    """A command sets a handler for its exit, which does not come here."""
    kept = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, kept)
    atexit.unregister(command._ignore_interrupts)


@pytest.mark.parametrize(("main", "code", "said"), [(lambda: 3, 3, ""), (interrupted, INTERRUPTED, "interrupted\n")])
@pytest.mark.usefixtures("handler")
def test_a_command_leaves_with_its_code(
    main: Callable[[], int], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        run_command(main)
    assert (left.value.code, capsys.readouterr().err) == (code, said)


# Ctrl-C while Python exits: in the first function that it calls, in the last one, and while it waits for a thread.
EXITS = {
    "first": "run(lambda: atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT)) and CODE)",
    "last": "atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT)); run(lambda: CODE)",
    "a thread": "threading.Thread(target=lambda: (time.sleep(.2), os.kill(os.getpid(), signal.SIGINT), time.sleep(99)))"
    ".start(); run(lambda: CODE)",
}


@pytest.mark.parametrize("code", [0, INTERRUPTED])
@pytest.mark.parametrize("program", EXITS.values(), ids=EXITS)
def test_an_interrupt_while_python_exits_keeps_the_code(program: str, code: int) -> None:
    lines = "import atexit, os, signal, threading, time\nfrom neuraltree.cli.command import run_command as run\n"
    done = subprocess.run(
        [sys.executable, "-c", lines + program.replace("CODE", str(code))], capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (code, b"")


# Escape codes.


def on_a_terminal(*arguments: str, **environment: str) -> bytes:
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    known = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    started = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        stdout=theirs,
        stderr=theirs,
        env=known | {"TERM": "xterm-256color"} | environment,
    )
    os.close(theirs)
    parts = []
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # what Linux says at the end of a terminal
            break
        if not part:
            break
        parts.append(part)
    os.close(ours)
    assert started.wait() == 0
    return b"".join(parts)


def test_a_table_on_a_terminal_is_styled() -> None:
    """So that the tests below can fail."""
    assert ESCAPE.search(on_a_terminal(*LIST))


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_none_gets_no_escape_codes(environment: dict[str, str]) -> None:
    shown = on_a_terminal(*LIST, **environment)
    assert b"certainty: of the least certain" in shown
    assert not ESCAPE.search(shown)


def test_a_pipe_gets_no_escape_codes_even_where_colour_is_forced() -> None:
    done = run(*LIST, env=os.environ | {"FORCE_COLOR": "1", "TERM": "xterm-256color"})
    assert "cortex-m4f" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("terminal", "environment", "answer"),
    [
        (True, {}, False),
        (True, {"NO_COLOR": ""}, False),  # no-color.org: only when it is not empty
        (True, {"NO_COLOR": "0"}, True),
        (True, {"TERM": "dumb"}, True),
        (False, {}, True),
    ],
)
def test_what_is_written_plainly(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, environment: dict[str, str], answer: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    assert plain(sys.stdout) == answer


def test_a_name_that_the_terminal_has_no_letters_for_is_escaped(tmp_path: Path) -> None:
    code = f"from neuraltree.cli.command import run_command\nrun_command(lambda: print({'µ–'!a}) or 0)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"\\xb5\\u2013\n", b"")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left", "a\nb"), "error: a\\nb: No space left; wait\n"),
        (OSError("odd"), "error: odd; wait\n"),
    ],
)
def test_what_the_system_refuses_is_one_line(error: OSError, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert fail_of_system(error, "; wait") == 2
    assert capsys.readouterr().err == said
