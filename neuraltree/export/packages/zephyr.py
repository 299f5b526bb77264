"""A tree as a Zephyr module, switched on by a Kconfig option, with a sample application."""

from __future__ import annotations

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
  zephyr_library_sources(src/@NAME@.c)
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
project(@NAME@_predict)
target_sources(app PRIVATE src/main.c)
"""
CONFIG = f"# {CHANGED}\nCONFIG_NEURALTREE_@UPPER@=y\n"
PRINTS_FLOATS = "CONFIG_CBPRINTF_FP_SUPPORT=y\n"
SAMPLE_YAML = f"""# {CHANGED}
sample:
  name: The neural tree @NAME@
tests:
  neuraltree.@NAME@.predict:
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
    fpu = "" if c_format(precision).is_integer else FPU
    return {
        f"include/{name}.h": model.header,
        f"src/{name}.c": model.source,
        "zephyr/module.yml": written(MODULE, model),
        "CMakeLists.txt": written(CMAKE, model),
        "Kconfig": written(KCONFIG, model, FPU=fpu, TEXT=described(model)),
        "samples/predict/CMakeLists.txt": written(SAMPLE_CMAKE, model),
        "samples/predict/sample.yaml": written(SAMPLE_YAML, model),
        "samples/predict/prj.conf": written(CONFIG + PRINTS_FLOATS * (tree.classes is None), model),
        "samples/predict/src/main.c": _main(model),
    }


def _main(model: Model) -> str:
    rows = "\n".join(f"    [{place}] = {text}," for place, text in class_rows(model))
    names = NAMES.format(upper=model.name.upper(), rows=rows) if rows else ""
    shown = (CLASS if rows else VALUE).format(name=model.name, x=model.x)
    return written(MAIN, model, FILL=fill(model), NAMES=names, PRINT=shown)
