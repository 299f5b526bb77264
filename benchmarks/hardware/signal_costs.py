"""The cost model of streaming code compared with measurements of models that calibrated nothing.

``python -m benchmarks.run signal_costs`` compiles whole models, tree and front end, pushes samples into them on
emulated cores, and pushes a million samples, some of them made to take long, into one model. It needs the extra
``[measure]``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.promise.reporting import report
from neuraltree.cli.markdown import table
from neuraltree.hardware import load_device
from neuraltree.hardware.calibrate.fit import residual
from neuraltree.hardware.model.cost import WORST
from neuraltree.hardware.profile.devices import Code, CycleDevice
from neuraltree.hardware.signals.calibration.signal_samples import (
    hard_samples,
    model_of,
    random_signal_model,
    usual_samples,
)
from neuraltree.hardware.signals.measured_signal import push_all
from neuraltree.hardware.signals.whole_cost import whole_cost

CORES, BUILD = ("cortex-m0plus", "cortex-m4f"), "clang"
PRECISIONS = ("int8", "int8", "int8", "float32")  # in turn
FIRST_SEED = 0  # those of calibration begin at 1000
PART = 50_000  # samples of the stream that are pushed at a time
# What is cheap to emulate, with most of the functions whose time depends on the samples: roots and divisions.
BOUNDED = (
    *("accx.sd@64", "accy.crest@64", "accz.rms@32", "acc.norm.mean@64", "acc.norm.sd@32", "accx~accy.correlation@64"),
    *("gyrox.zero_crossings@64", "gyroy.high:500.range@32", "gyroz.low:2500.mean_abs@64"),
)
BOUNDED_HOP = 32
COSTS = ("decision_cycles", "sample_cycles", "flash_bytes", "ram_bytes")
Pair = dict[str, tuple[float, float]]


def pair_of(core: str, seed: int) -> Pair:
    """Predicted and measured costs of a random model; the last pair is the bound and the costliest push."""
    device, code = _device(core), Code(PRECISIONS[seed % len(PRECISIONS)], "straight", BUILD)
    model = random_signal_model(seed)
    predicted = whole_cost(model, device, code)
    real, state = push_all(model, core, BUILD, code)
    seconds = device.seconds(1, "mid")
    ordinary = (np.arange(len(real.cycles)) + 1) % model.front_end.hop != 0
    assert predicted.worst_latency_s is not None
    return {
        "decision_cycles": (predicted.latency_s / seconds, float(real.cycles[real.decided].mean())),
        "sample_cycles": (predicted.sample_latency_s / seconds, float(np.median(real.cycles[ordinary]))),
        "flash_bytes": (predicted.flash_bytes, float(real.built.flash_bytes)),
        "ram_bytes": (predicted.ram_bytes, float(state + real.stack_bytes.max())),
        WORST: (predicted.worst_latency_s / seconds, float(real.cycles.max())),
    }


def judged(core: str, members: int) -> dict[str, Any]:
    """The errors of each cost over random models, and how many pushes took longer than their bound."""
    pairs = [pair_of(core, seed) for seed in range(FIRST_SEED, FIRST_SEED + members)]
    found: dict[str, Any] = {"core": core, "members": members}
    for cost in COSTS:
        predicted, real = np.array([pair[cost] for pair in pairs]).T
        found[cost] = asdict(residual(predicted, real))
    bound, real = np.array([pair[WORST] for pair in pairs]).T
    return found | {"above_bound": int((real > bound).sum()), "bound_over_costliest": float(np.median(bound / real))}


def bounded(core: str, samples: int) -> dict[str, Any]:
    """The costliest of many pushes beside the bound that is stated for the model."""
    device, code = _device(core), Code("int8", "straight", BUILD)
    model = model_of(BOUNDED, BOUNDED_HOP, np.random.default_rng(1))
    bound = whole_cost(model, device, code).worst_latency_s
    assert bound is not None
    bound /= device.seconds(1, "mid")
    costliest, above = 0.0, 0
    for i, first in enumerate(range(0, samples, PART)):
        made = (hard_samples if i % 2 else usual_samples)(min(PART, samples - first), 10_000 + i)
        ends = np.arange(1, len(made) + 1) % BOUNDED_HOP == 0  # no other push can be the costliest
        cycles = push_all(model, core, BUILD, code, made, ends)[0].cycles
        costliest, above = max(costliest, float(cycles.max())), above + int((cycles > bound).sum())
    return {"core": core, "samples": samples, "bound": bound, "costliest": costliest, "above": above}


def _device(core: str) -> CycleDevice:
    device = load_device(core)
    assert isinstance(device, CycleDevice)
    return device


def page(result: dict[str, Any]) -> str:
    lines = []
    for row in result["rows"]:
        cells = [f"{row[cost][name]:.1f}" for cost in COSTS for name in ("within_10_percent", "worst_percent")]
        lines.append([row["core"], str(row["members"]), *cells, str(row["above_bound"])])
    heads = [text for cost in COSTS for text in (f"{cost.replace('_', ' ')} ±10 %, %", "worst, %")]
    return f"""# Costs of streaming code, predicted and measured

Made by `{result["command"]}`. Each member is a random tree over 2 to 14 random features of 6 channels at 50 Hz, in
windows of 32 to 256 samples; every fourth tree has numbers of float32, the others of int8. Its whole code is compiled
by {BUILD} and pushed samples on an emulated core; none of the members was used in calibration.
*Decision*: the push that ends a hop, features and tree. *Sample*: any other push. RAM: the state and the deepest stack.

{table(("core", "members", *heads, "above the bound"), lines)}
{_of_streams(result["streams"])}"""


def _of_streams(rows: Sequence[dict[str, Any]]) -> str:
    """The part of the page about long streams; none if none was pushed."""
    if not rows:
        return ""
    lines = [
        [row["core"], f"{row['samples']:,}", f"{row['bound']:,.0f}", f"{row['costliest']:,.0f}", str(row["above"])]
        for row in rows
    ]
    head = ("core", "samples", "stated worst push, cycles", "costliest push", "pushes above")
    return f"""
A stream of samples, half of it made to take long, into one model of {len(BOUNDED)} features:

{table(head, lines)}
"""


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=60, help="on each core; default: %(default)s")
    parser.add_argument("--samples", type=int, default=1_000_000, help="of the stream, 0: none; default: %(default)s")
    parser.add_argument("--core", nargs="+", choices=CORES, default=list(CORES))
    parser.add_argument("--out", type=Path, default=Path("results/signal_costs.json"), help="default: %(default)s")
    options = parser.parse_args(argv)
    rows = [judged(core, options.members) for core in options.core]
    streams = [bounded(core, options.samples) for core in options.core if options.samples]
    report("signal_costs", {"rows": rows, "streams": streams}, page, options.out)


if __name__ == "__main__":
    main()
