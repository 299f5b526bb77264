"""One C program of all parts, features and filters of signals, fed with numbers on its standard input.

It streams parts into blocks of a hop and merges them, as firmware does, and is checked for undefined behaviour.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from neuraltree.signals.c_functions import C_FUNCTIONS
from neuraltree.signals.features.feature_table import FEATURES
from neuraltree.signals.filters.filter_table import FILTERS
from neuraltree.signals.parts.part import Part
from neuraltree.signals.parts.part_table import PARTS
from neuraltree.tree.nodes import IntArray

STRICT = ("-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-pedantic")
SANITIZERS = ("-fsanitize=undefined", "-fno-sanitize-recover=all")
MERGES = {"add": "{0} = ({1})({0} + {2});", "min": "if ({2} < {0}) {0} = {2};", "max": "if ({2} > {0}) {0} = {2};"}
STANDARD = """static void put(int64_t v) { fwrite(&v, sizeof v, 1, stdout); }
static int32_t get(void) { int32_t v; return fread(&v, sizeof v, 1, stdin) == 1 ? v : -1; }"""
WINDOW, FILTER, AXES = 0, 1, 2
MOST = 1024


def compiled(folder: Path) -> Path:
    """The program; without a sanitizer where the compiler has none."""
    (folder / "signals.c").write_text("\n".join([rows_text(), STANDARD, parts_text(MOST), _main()]))
    for flags in (SANITIZERS, ()):
        done = subprocess.run(
            ["cc", *STRICT, *flags, "signals.c", "-o", "signals"], cwd=folder, capture_output=True, text=True
        )
        if done.returncode == 0:
            return folder / "signals"
    raise AssertionError(done.stderr)


def answers(program: Path, requests: Iterable[Sequence[int]]) -> IntArray:
    """All numbers that the program gives, int64."""
    numbers = np.array([number for request in requests for number in request], dtype=np.int32)
    done = subprocess.run([program], input=numbers.tobytes(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return np.frombuffer(done.stdout, dtype=np.int64)


def rows_text() -> str:
    """The functions of all rows, and for each part of blocks one that streams a window."""
    helpers: dict[str, str] = {}
    for name in C_FUNCTIONS:
        _add_helper(helpers, name)
    texts = [text for text in (*(part.c for part in PARTS.values()), *(one.c for one in FEATURES.values())) if text]
    filters = [text for one in FILTERS.values() for text in (_state(one.name, one.state), one.c)]
    return "\n".join(
        [
            "#include <stdint.h>\n#include <stdio.h>",
            *helpers.values(),
            *texts,
            *filters,
            *map(_blocks, (part for part in PARTS.values() if part.block)),
        ]
    )


def _add_helper(found: dict[str, str], name: str) -> None:
    text, needs = C_FUNCTIONS[name]
    for other in needs:
        _add_helper(found, other)
    found.setdefault(name, text)


def _state(name: str, fields: tuple[str, ...]) -> str:
    return f"typedef struct {{ {' '.join(fields)} }} nt_{name}_state;" if fields else ""


def _blocks(part: Part) -> str:
    """A function that streams samples into blocks of a hop and merges them."""
    assert part.block
    merge = MERGES[part.block.merge].format("all", part.c_type, "a")
    arguments = "const int16_t *xs, const int16_t *ys, int n, int hop, int32_t before"
    return f"""static {part.c_type} blocks_{part.name}({arguments}) {{
    {part.c_type} all = {part.block.first};
    for (int start = 0; start < n; start += hop) {{
        {part.c_type} a = {part.block.first};
        for (int i = start; i < start + hop; i++) {{
            const int32_t x = xs[i], y = ys[i];
            (void)y;
            {part.block.update}
            before = x;
        }}
        {merge}
    }}
    (void)before;
    return all;
}}"""


def parts_text(most: int) -> str:
    """A structure of all parts of windows of up to so many samples, a function that fills it and one that shows it."""
    fields: list[str] = []
    lines: list[str] = []
    out: list[str] = []
    for part in PARTS.values():
        needs = "".join(f", p->{name}" for name in part.needs)
        many = part.values(most) > 1
        if part.block:
            fields.append(f"{part.c_type} {part.name};")
            lines.append(f"p->{part.name} = blocks_{part.name}(x, y, n, hop, before);")
        elif not part.c:
            fields.append(f"const int16_t *{part.name};")
            lines.append(f"p->{part.name} = x;")
            continue
        else:
            fields.append(f"{part.c_type} {part.name}{f'[{part.values(most)}]' if many else ''};")
            call = f"nt_{part.name}(x, n{needs}{f', p->{part.name}' if many else ''});"
            lines.append(call if many else f"p->{part.name} = {call}")
        out.append(f"for (int i = 0; i < counts[{len(out)}]; i++) put(p->{part.name}[i]);" if many else "")
        out[-1] = out[-1] or f"put(p->{part.name});"
    return f"""typedef struct {{ {" ".join(fields)} }} parts;
static void fill(parts *p, const int16_t *x, const int16_t *y, int n, int hop, int32_t before) {{
    {" ".join(lines)}
}}
static void show(const parts *p, const int *counts) {{ {" ".join(out)} }}"""


def counted_parts() -> list[Part]:
    """The parts whose values the program gives, in its order."""
    return [part for part in PARTS.values() if part.block or part.c]


def feature_call(name: str, parameter: str) -> str:
    """The value of a feature of the parts ``px``, and ``py`` of the second stream."""
    return f"nt_{name}({', '.join(map(_argument, FEATURES[name].reads))}, n, {parameter})"


def _main() -> str:
    features = "\n".join(
        f"        case {i}: put({feature_call(name, 'parameter')}); break;" for i, name in enumerate(FEATURES)
    )
    filters = "\n".join(
        f"        case {i}: {{ nt_{one.name}_state s; for (int i = 0; i < n; i++)"
        f" put(nt_{one.name}(&s, x[i], constants, i == 0)); break; }}"
        for i, one in enumerate(FILTERS.values())
        if not one.axes
    )
    axes = "\n".join(
        f"        case {i}: for (int i = 0; i < n; i++) put(nt_{one.name}(all + i * axes, axes)); break;"
        for i, one in enumerate(FILTERS.values())
        if one.axes
    )
    counts = len(counted_parts())
    return f"""static int16_t all[1 << 16];
static void window(void) {{
    static parts px, py;
    int16_t *x = all, *y = all + {MOST};
    const int n = get(), hop = get();
    const int32_t x_before = get(), y_before = get();
    int counts[{counts}];
    for (int i = 0; i < {counts}; i++) counts[i] = get();
    for (int i = 0; i < n; i++) x[i] = (int16_t)get();
    for (int i = 0; i < n; i++) y[i] = (int16_t)get();
    fill(&px, x, y, n, hop, x_before);
    fill(&py, y, x, n, hop, y_before);
    show(&px, counts);
    for (int left = get(); left; left--) {{
        const int which = get(), parameter = get();
        switch (which) {{
{features}
        }}
    }}
}}
static void filter(void) {{
    const int which = get(), n = get(), m = get();
    int32_t constants[8] = {{0}};
    int16_t *x = all;
    for (int i = 0; i < m; i++) constants[i] = get();
    for (int i = 0; i < n; i++) x[i] = (int16_t)get();
    switch (which) {{
{filters}
    }}
}}
static void of_axes(void) {{
    const int which = get(), n = get(), axes = get();
    for (int i = 0; i < n * axes; i++) all[i] = (int16_t)get();
    switch (which) {{
{axes}
    }}
}}
int main(void) {{
    for (int kind = get(); kind >= 0; kind = get()) {{
        if (kind == {WINDOW}) window(); else if (kind == {FILTER}) filter(); else of_axes();
    }}
    return 0;
}}
"""


def _argument(read: str) -> str:
    side, _, name = read.rpartition(".")
    return f"p{side or 'x'}.{name}"
