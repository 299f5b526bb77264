"""The calibration of a core: from measured trees to a profile file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any, get_args

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from neuraltree.compress.builds import BUILD_NAMES
from neuraltree.compress.formats import Precision, Style
from neuraltree.hardware.calibrate.calibration_trees import of_floats, random_trees, trained_trees, with_types
from neuraltree.hardware.calibrate.measured_samples import Sample, measure_trees
from neuraltree.hardware.calibrate.narrow_fit import measure_narrow, wide_trees, with_narrow
from neuraltree.hardware.calibrate.one_kind import residuals, with_activation, with_kind
from neuraltree.hardware.calibrate.profile_entries import entry, rounded
from neuraltree.hardware.compare import check_measurable
from neuraltree.hardware.measure.toolchains import available_compilers
from neuraltree.hardware.profile.devices import Code
from neuraltree.hardware.profile.load import load_device
from neuraltree.hardware.profile.places import SUFFIX, Raw, find
from neuraltree.hardware.profile.profile_toml import profile_text
from neuraltree.storing import store

SEED, HELD_OUT_SEED = 0, 1
TRAINED_SHARE = 2 / 7  # share of the trees that are trained


def calibrate(
    wanted: str,
    compiler: str | None,
    trees: int,
    out: Path | None,
    activation: str | None = None,
    *,
    narrow: bool = False,
) -> str:
    """Measure, fit and write a profile; returns text that names the file and the quality of each fit.

    ``compiler``: a build, None for all that are installed for the core. ``activation``: fit only the figures of this
    activation and keep all others; ``narrow``: only those of formats below 8 bits. ``ValueError`` if the core cannot be
    emulated.
    """
    device = load_device(wanted)
    core = device.core
    builds = [name for name, cores in available_compilers().items() if core in cores and compiler in (None, name)]
    for build in builds or [compiler or BUILD_NAMES[0]]:
        check_measurable(device, build)
    out = out or Path(f"{core}{SUFFIX}")
    if out.suffix != SUFFIX or not out.absolute().parent.is_dir():
        raise ValueError(f"--out {out}: name a file ending in {SUFFIX} in an existing folder")
    raw = _old(out, core) if out.exists() else _start(wanted, out)
    if narrow:
        verdicts = _renew_narrow(raw, core, builds, trees)
    elif activation is None:
        found = _entries(core, builds, trees)
        raw.pop("scaled_from", None)
        raw["entries"] = _replaced(raw.get("entries", []), found)
        verdicts = [_verdict(row, row["residuals"]) for row in found]
    else:
        verdicts = _renew(raw, core, builds, trees, activation)
    text, beside = profile_text(raw), out.with_name(f".part-{out.name}")
    try:
        store({beside: text})
        load_device(str(beside))
    finally:
        beside.unlink(missing_ok=True)
    store({out: text})
    return "\n".join([f"{out}: {len(verdicts)} entries by {', '.join(builds)}", *verdicts])


def _old(out: Path, core: str) -> Raw:
    """The tables of the profile to be renewed; it must have the same core."""
    there = load_device(str(out)).core
    if there != core:
        raise ValueError(f"--out {out}: it has the core {there}, but the device has {core}; name another file")
    return dict(find(str(out)).read())


def _start(wanted: str, out: Path) -> Raw:
    """The device's own tables, with paths that are valid from the folder of the new file."""
    place = find(wanted)
    raw: Raw = dict(place.read())
    if place.folder is not None and place.folder.resolve() != out.absolute().parent.resolve():
        for table, key in ((raw, "extends"), *((row, "core") for row in raw.get("scaled_from", []))):
            if str(table.get(key, "")).endswith(SUFFIX):
                table[key] = str((place.folder / table[key]).resolve())
    return raw


def _entries(core: str, builds: Sequence[str], trees: int) -> list[Raw]:
    rows = [Code(*row) for row in product(get_args(Precision), get_args(Style), builds)]
    return [entry(fitted, judged, code._asdict()) for code, fitted, judged in _samples(core, trees, rows)]


def _own_entries(raw: Raw, builds: Sequence[str], option: str) -> dict[Code, int]:
    """The places of the profile's own entries of the builds."""
    entries = {Code(*(row[key] for key in Code._fields)): i for i, row in enumerate(raw.get("entries", []))}
    places = {code: i for code, i in entries.items() if code.compiler in builds}
    if not places:
        names = ", ".join(builds)
        raise ValueError(f"the profile has no entries of its own by {names}; calibrate it without {option} first")
    return places


def _renew_narrow(raw: Raw, core: str, builds: Sequence[str], trees: int) -> list[str]:
    """Give the builds' int8 entries figures of formats below 8 bits, in place; returns lines on the fits."""
    places = _own_entries(raw, builds, "--narrow")
    codes = [code for code in places if code.precision == "int8"]
    usual, wide = ([made(n, seed) for n, seed in _sizes(trees)] for made in (random_trees, wide_trees))
    lines = []
    with _progress() as progress:
        task = progress.add_task(core, total=len(codes) * sum(map(len, usual)))
        for code in codes:
            progress.update(task, description=f"{core} below 8 bits {code.style} by {code.compiler}")
            sets = usual if code.style == "straight" else [a[::2] + b[::2] for a, b in zip(usual, wide, strict=True)]
            found = [measure_narrow(each, core, code, lambda: progress.advance(task)) for each in sets]
            raw["entries"][places[code]] = new = with_narrow(raw["entries"][places[code]], *found)
            judged = {n[7:]: row for n, row in new["residuals"].items() if n.startswith("narrow_")}
            lines.append(_verdict(new | {"precision": "formats below 8 bits"}, judged))
    return lines


def _sizes(trees: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """How many trees to fit to and to judge by, each with its seed."""
    return (trees, SEED), (trees // 2, HELD_OUT_SEED)


def _progress() -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


def _renew(raw: Raw, core: str, builds: Sequence[str], trees: int, activation: str) -> list[str]:
    """Give the builds' entries new figures of one activation, in place; returns lines on the quality of the fits."""
    places = _own_entries(raw, builds, "--activation")
    lines = []
    for code, fitted, judged in _samples(core, trees, list(places), activation):
        raw["entries"][places[code]] = new = with_kind(raw["entries"][places[code]], activation, fitted)
        lines.append(_verdict(new, {name: rounded(found) for name, found in residuals(new, judged).items()}))
    return lines


def _samples(
    core: str, trees: int, rows: Sequence[Code], activation: str | None = None
) -> Iterator[tuple[Code, list[Sample], list[Sample]]]:
    """For each code the measured trees to fit to, and those that judge the fit."""
    trained = round(trees * TRAINED_SHARE)
    with _progress() as progress:
        task = progress.add_task("training trees", total=None)
        sets = [
            random_trees(count - share, seed) + trained_trees(share, seed)
            for (count, seed), share in zip(_sizes(trees), (trained, trained // 2), strict=True)
        ]
        if activation is None:
            typed = [with_types(each, seed) for seed, each in enumerate(sets)]
        else:
            typed = [of_floats(with_activation(each, activation, seed)) for seed, each in enumerate(sets)]
        progress.update(task, total=len(rows) * sum(map(len, typed)))
        for code in rows:
            progress.update(task, description=f"{core} {code.precision} {code.style} by {code.compiler}")
            fitted, judged = (measure_trees(each, core, code, lambda: progress.advance(task)) for each in typed)
            yield code, fitted, judged


def _replaced(old: list[Raw], new: list[Raw]) -> list[Raw]:
    """The old entries, then the new ones. Old entries of the same code are dropped, and so are estimates of it for any
    compiler."""
    codes = {(row["precision"], row["style"]) for row in new}
    compilers = {"any", *(row["compiler"] for row in new)}
    kept = [row for row in old if (row["precision"], row["style"]) not in codes or row["compiler"] not in compilers]
    return [*kept, *new]


def _verdict(row: Raw, judged: dict[str, dict[str, Any]]) -> str:
    near = ", ".join(f"{each['within_10_percent']:g} % in {name}" for name, each in judged.items())
    return (
        f"  {row['precision']} {row['style']} by {row['compiler']}: of {judged['cycles']['trees']} other trees "
        f"within 10 %: {near}; Kendall of cycles {judged['cycles']['kendall']:g}"
    )
