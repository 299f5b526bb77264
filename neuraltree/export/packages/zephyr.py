"""A tree as a Zephyr module, switched on by a Kconfig option, with a sample application."""

from __future__ import annotations

import re
from collections.abc import Sequence

from neuraltree.compress.formats import InputSpec, c_format
from neuraltree.export.names import MARK
from neuraltree.export.packages.example import CHANGED, HEAD, Model, class_rows, described, fill, model_of, written
from neuraltree.tree.tree import Tree

MODULE = f"""# {MARK}; do not edit.
name: neuraltree_@NAME@
build:
  cmake: .
  kconfig: Kconfig
samples:
  - samples
"""
CMAKE = f"""# {MARK}; do not edit.
if(CONFIG_NEURALTREE_@UPPER@)
  zephyr_include_directories(include)
  zephyr_library_named(neuraltree_@NAME@)
  zephyr_library_sources(@SOURCES@)
endif()
"""
# Without the FPU's registers saved between threads, a core with an FPU would call functions for each float.
KCONFIG = f"""# {MARK}; do not edit.
config NEURALTREE_@UPPER@
    bool "The neural tree @NAME@"
@FPU@    help
      A neural tree, @TEXT@. Include @NAME@.h.
"""
FPU = "    imply FPU if CPU_HAS_FPU\n"
SAMPLE_CMAKE = f"""# {CHANGED}
cmake_minimum_required(VERSION 3.20.0)
list(APPEND EXTRA_ZEPHYR_MODULES ${{CMAKE_CURRENT_SOURCE_DIR}}/../..)
find_package(Zephyr REQUIRED HINTS $ENV{{ZEPHYR_BASE}})
project(@NAME@_@SAMPLE@)
target_sources(app PRIVATE src/main.c)
"""
CONFIG = f"# {CHANGED}\nCONFIG_NEURALTREE_@UPPER@=y\n"
PRINTS_FLOATS = "CONFIG_CBPRINTF_FP_SUPPORT=y\n"
SAMPLE_YAML = f"""# {CHANGED}
sample:
  name: The neural tree @NAME@
tests:
  neuraltree.@NAME@.@SAMPLE@:
    build_only: true
"""
MAIN = f"""{HEAD}
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include "@NAME@.h"

@INPUTS@

// Put a reading in place of each number, in the unit of the data that the model learned from.
static void read_inputs(void)
{{
@FILL@
}}
@NAMES@
int main(void)
{{
    read_inputs();
    @PRINT@
    return 0;
}}
"""
NAMES = """
static const char *const names[{upper}_CLASSES] = {{
{rows}
}};
"""
CLASS = 'printk("%s\\n", names[{name}_predict({x})]);'
VALUE = 'printk("%.6g\\n", (double){name}_predict({x}));'


def export_zephyr(
    tree: Tree,
    name: str = "model",
    *,
    precision: str = "float32",
    style: str = "straight",
    fine: bool = False,
    inputs: InputSpec = "float32",
) -> dict[str, str]:
    """The texts of the files by file name; the options and refusals are those of ``export_c``."""
    model = model_of(tree, name, {"precision": precision, "style": style, "fine": fine, "inputs": inputs})
    config = PRINTS_FLOATS * (tree.classes is None)
    frame = module_files(name, described(model), [f"{name}.c"], "predict", config, c_format(precision).is_integer)
    return {
        f"include/{name}.h": model.header,
        f"src/{name}.c": model.source,
        **frame,
        "samples/predict/src/main.c": _main(model),
    }


def module_files(
    name: str, text: str, sources: Sequence[str], sample: str, config: str, is_integer: bool
) -> dict[str, str]:
    """All but C. ``text``: what the model is, in a line; ``sources``: the names of the C files in ``src``; ``sample``:
    the name of the sample application, with lines of ``config``; ``is_integer``: whether the code has no floats."""
    marks = {
        "@NAME@": name,
        "@UPPER@": name.upper(),
        "@FPU@": "" if is_integer else FPU,
        "@TEXT@": text,
        "@SOURCES@": " ".join(f"src/{source}" for source in sources),
        "@SAMPLE@": sample,
    }
    files = {
        "zephyr/module.yml": MODULE,
        "CMakeLists.txt": CMAKE,
        "Kconfig": KCONFIG,
        f"samples/{sample}/CMakeLists.txt": SAMPLE_CMAKE,
        f"samples/{sample}/sample.yaml": SAMPLE_YAML,
        f"samples/{sample}/prj.conf": CONFIG + config,
    }
    return {file: re.sub("@[A-Z]+@", lambda mark: marks[mark[0]], template) for file, template in files.items()}


def _main(model: Model) -> str:
    rows = "\n".join(f"    [{place}] = {text}," for place, text in class_rows(model))
    names = NAMES.format(upper=model.name.upper(), rows=rows) if rows else ""
    shown = (CLASS if rows else VALUE).format(name=model.name, x=model.x)
    return written(MAIN, model, FILL=fill(model), NAMES=names, PRINT=shown)
