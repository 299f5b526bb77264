"""The machine and the software versions of a measurement, for its JSON file."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from typing import Any


def facts(packages: tuple[str, ...]) -> dict[str, Any]:
    """Facts besides the code that a measurement depends on; none of them identifies the machine."""
    return {
        "cpu_count": os.cpu_count(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "c_compiler": compiler_version(),
        "versions": {name: installed(name) for name in packages},
    }


def installed(package: str) -> str | None:
    """The version of a package, or None if it is not installed: a benchmark can run without some of its peers."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def compiler_version() -> str | None:
    """The first line of ``cc --version``, or None if there is no C compiler."""
    if shutil.which("cc") is None:
        return None
    text = subprocess.run(("cc", "--version"), capture_output=True, text=True, check=True).stdout
    return text.splitlines()[0]


def wait(process: subprocess.Popen) -> resource.struct_rusage:
    """Wait for a process, set its ``returncode``, and return what it used."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage
