"""The fit of the figures of streaming code to records of emulated pushes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from shlex import quote

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from neuraltree.hardware.measure.cores import Core
from neuraltree.hardware.measure.toolchains import version
from neuraltree.hardware.profile.devices import Code, CycleDevice
from neuraltree.hardware.profile.load import load_device
from neuraltree.hardware.signals.calibration.call_graph import called
from neuraltree.hardware.signals.calibration.signal_records import GLUE, TREE, Record, code_symbols
from neuraltree.hardware.signals.calibration.stack_fit import stack_fit, stacks
from neuraltree.hardware.signals.signal_figures import FunctionFigures, ScoreFigures, SignalFigures, SiteFigures
from neuraltree.hardware.signals.whole_cost import tree_costs, whole_cost
from neuraltree.signals.c_functions import C_FUNCTIONS

OWN = "nt_"
LEAST_MARGIN = 1.05  # of the bound for all samples over the costliest that were seen
Array = NDArray[np.float64]
Rows = list[tuple[tuple[float, ...], float]]  # work, cycles
HELPERS = frozenset(f"{OWN}{name}" for name in C_FUNCTIONS)
TABLES = {"nt_sine": "nt_quarter_wave"}  # constants that a function reads

COMMAND = "python -m neuraltree.hardware.signals.calibration"


def fitted(found: Sequence[tuple[bool, Record]], core: Core, compiler: str) -> SignalFigures:
    """The figures from all records, each with whether its samples were to take long."""
    usual, hard = ([one for is_hard, one in found if is_hard == which] for which in (False, True))
    every = [*usual, *hard]
    alone = stacks(usual)
    frame, of_sites = stack_fit(usual, alone, core, compiler)
    sites = sites_of_records(usual)
    sites |= {name: replace(sites[name], stack_bytes=size) for name, size in of_sites.items()}
    none = ScoreFigures((0.0, 0.0), (0.0, 0.0))
    figures = SignalFigures(
        core=core.name,
        compiler=compiler,
        version=version(core, compiler),
        command=f"{COMMAND} --core {quote(core.name)} --compiler {quote(compiler)}",
        functions=functions_of(usual, hard, core),
        library=library_of(every, core),
        sites=sites,
        scores={"int8": none, "float32": none},
        frame_bytes=frame,
        stack_bytes=alone,
        worst_margin=1.0,
    )
    figures = replace(figures, scores={name: _scores(usual, figures, name) for name in figures.scores})
    return replace(figures, worst_margin=_margin(every, figures))


def functions_of(records: Sequence[Record], hard: Sequence[Record], core: Core) -> dict[str, FunctionFigures]:
    """The figures of every function that a record called."""
    every = [*records, *hard]
    names = sorted({name for one in every for name in one.texts})
    sizes, needs = _sizes(every, core)
    found = {}
    for name in names:
        usual, worst = list(_rows(records, name, np.mean)), list(_rows(every, name, np.max))
        length = len(usual[0][0]) if usual else 1
        none = (0.0,) * length
        found[name] = FunctionFigures(
            cycles=_nearest(usual) if usual else none,
            worst=_above(worst) if worst else none,
            flash_bytes=sizes.get(name, 0.0),  # helpers that are inlined are no functions
            library=tuple(sorted(other for other in needs.get(name, ()) if _is_library(other))),
        )
    return found


def library_of(records: Sequence[Record], core: Core) -> dict[str, float]:
    """The bytes of each function of the compiler's library."""
    sizes, _ = _sizes(records, core)
    return {name: size for name, size in sizes.items() if _is_library(name)}


def _is_library(name: str) -> bool:
    return not (name.startswith((OWN, TREE)) or GLUE.fullmatch(name))


def _sizes(records: Iterable[Record], core: Core) -> tuple[dict[str, float], dict[str, frozenset[str]]]:
    sizes: dict[str, float] = {}
    needs: dict[str, frozenset[str]] = {}
    for one in records:
        code = code_symbols(one.built, core)
        sizes |= {name: _filled(size) for name, (_, size) in code.items()}
        needs |= called(one.built, core, code, [name for name in code if _is_library(name) or name in HELPERS])
        for name, table in TABLES.items():
            if name in code:
                sizes[name] += one.built.symbols[table][1]
    return sizes, needs


def _filled(size: int) -> float:
    """The bytes of a section whose neighbour begins at a word."""
    return float(-(-size // 4) * 4)


def _rows(records: Iterable[Record], name: str, merge: Callable[[Array], np.floating]) -> Iterator[tuple]:
    for one in records:
        for work, pushes in ((one.sample_work, one.ordinary), (one.decision_work, one.pushes.decided)):
            if name in work and len(cycles := one.cycles_of(name, pushes)):
                yield work[name], float(merge(cycles))


def _nearest(rows: Rows) -> tuple[float, ...]:
    """The factors, none below 0, with the least relative errors."""
    from scipy.optimize import nnls

    work, cycles = _columns(rows)
    found, _ = nnls(work / cycles[:, None], np.ones(len(cycles)))
    return tuple(np.round(found, 3).tolist())


def _above(rows: Rows) -> tuple[float, ...]:
    """The factors, none below 0, with the least sum that is nowhere below the cycles."""
    from scipy.optimize import linprog

    work, cycles = _columns(rows)
    found = linprog((work / cycles[:, None]).sum(axis=0), A_ub=-work, b_ub=-cycles, method="highs")
    return tuple((np.ceil(found.x * 1000) / 1000).tolist())


def _columns(rows: Rows) -> tuple[Array, Array]:
    return np.array([work for work, _ in rows]), np.maximum(np.array([cycles for _, cycles in rows]), 1.0)


def sites_of_records(records: Sequence[Record]) -> dict[str, SiteFigures]:
    """What the code between functions takes, fitted to all records together."""
    names = ["model", "output", *sorted({name for one in records for name in one.sites})]
    counts = np.array([[count_of(one, name) for name in names] for one in records])
    sample = np.array([np.median(one.glue[one.ordinary]) for one in records])
    decision = np.array([one.glue[one.pushes.decided].mean() for one in records]) - sample
    flash = np.array([_glue_bytes(one) for one in records])
    always = np.array([name in ("model", "channel", "axis", "stream", "before", "buffer") for name in names])
    always |= np.array([name.startswith(("filter_", "block_")) for name in names])
    columns = [
        _sites(counts * always, sample),
        _sites(counts, decision),
        _sites(counts, flash),
    ]
    return {name: SiteFigures(*(float(column[i]) for column in columns)) for i, name in enumerate(names)}


def count_of(one: Record, name: str) -> float:
    """How often a record has a site."""
    own = {"model": 1.0, "output": float(len(one.model.tree.classes or ()))}
    return own.get(name, one.sites.get(name, 0.0))


def _sites(counts: Array, wanted: Array) -> Array:
    """Factors with the least squares, drawn a little towards 0: some sites always come together."""
    from scipy.optimize import nnls

    size = counts.shape[1]
    found, _ = nnls(np.vstack([counts, 0.1 * np.eye(size)]), np.concatenate([wanted, np.zeros(size)]))
    return np.round(found, 2)


def _glue_bytes(one: Record) -> float:
    return sum(_filled(size) for name, (address, size) in one.built.symbols.items() if size and GLUE.fullmatch(name))


def _device(core: str) -> CycleDevice:
    device = load_device(core)
    assert isinstance(device, CycleDevice)
    return device


def _code(one: Record, figures: SignalFigures) -> Code:
    return Code(one.precision, "straight", figures.compiler)


def _scores(records: Iterable[Record], figures: SignalFigures, precision: str) -> ScoreFigures:
    """What is measured of trees less what ``predict`` would take, by outputs."""
    device, rows, cycles, flash = _device(figures.core), [], [], []
    for one in records:
        if one.precision == precision:
            whole = whole_cost(one.model, device, _code(one, figures), figures)
            tree = tree_costs(one.model.tree, device, _code(one, figures))
            rows.append((1.0, len(one.model.tree.classes or ())))
            cycles.append(np.mean(one.scores) - tree["latency_s"] / device.seconds(1, "mid"))
            flash.append(one.built.flash_bytes - whole.flash_bytes)
    if not rows:
        return figures.scores["int8"]
    found = [np.linalg.lstsq(np.array(rows), np.array(each), rcond=None)[0] for each in (cycles, flash)]
    return ScoreFigures(*(tuple(np.round(one, 1).tolist()) for one in found))


def _margin(records: Iterable[Record], figures: SignalFigures) -> float:
    """The least margin with which no push took longer than the bound, and ``LEAST_MARGIN`` above that."""
    device, found = _device(figures.core), [1.0]
    for one in records:
        bound = whole_cost(one.model, device, _code(one, figures), figures).worst_latency_s
        if bound is not None:
            found.append(device.seconds(float(one.pushes.cycles.max()), "mid") / bound)
    return round(max(found) * LEAST_MARGIN, 3)
