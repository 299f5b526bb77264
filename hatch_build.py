"""The build hook of the package: it compiles the kernel for the wheel.

A machine without a C compiler gets zig from the package index. If nothing compiles the kernel, the wheel is pure
Python and the engine runs by XLA. ``$NEURALTREE_BUILD_TARGET`` names another machine to build for, such as
aarch64-linux-gnu, or is "none" for a wheel without the kernel.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VARIABLE = "NEURALTREE_BUILD_TARGET"
ZIG = "ziglang>=0.15,<0.18"
ZIG_SYSTEMS = ("linux", "darwin", "win32")  # for which the package index has it
PLACE = "neuraltree/engine/kernel"


class KernelHook(BuildHookInterface):
    """Adds the compiled kernel to a wheel, or puts it beside the sources for an editable installation."""

    PLUGIN_NAME = "custom"

    @property
    def build_module(self) -> Any:
        if self.root not in sys.path:
            sys.path.insert(0, self.root)
        return import_module("tools.kernel_build")

    def dependencies(self) -> list[str]:
        """Zig, if the kernel needs it."""
        target, build = os.environ.get(VARIABLE, ""), self.build_module
        known = sys.platform in ZIG_SYSTEMS and (target or build.family() in build.VARIANTS)
        if target == "none" or not known or (not target and any(map(build.works, build.system_compilers()))):
            return []
        return [ZIG]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the kernel; without one the wheel stays pure. ``SystemExit`` if a named target cannot be built."""
        target, build = os.environ.get(VARIABLE, ""), self.build_module
        if target == "none":
            return
        self.made = TemporaryDirectory()  # until the wheel is written
        folder = Path(self.root, PLACE) if version == "editable" else Path(self.made.name)
        try:
            compiler = build.build(folder / build.LIBRARY, "" if version == "editable" else target)
        except build.BuildError as error:
            self.made.cleanup()
            if target:
                raise SystemExit(f"the kernel cannot be built for {target}: {error}") from None
            self.app.display_warning(f"neuraltree is installed without its compiled kernel: {error}")
            return
        if version != "editable":
            build_data["force_include"][str(folder / build.LIBRARY)] = f"{PLACE}/{build.LIBRARY}"
            build_data["tag"] = f"py3-none-{build.wheel_platform(compiler)}"
            build_data["pure_python"] = False

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        del version, build_data, artifact_path
        if hasattr(self, "made"):
            self.made.cleanup()
