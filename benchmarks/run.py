"""``python -m benchmarks.run NAME``: run a benchmark by name; without a name, list them all."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

# Name: module with its first arguments, and a description; each takes --help.
BENCHMARKS: dict[str, tuple[str, str]] = {
    "peers": ("speed_peers", "time of a gradient step and of a generation, ours and other programs"),
    "train": ("train_speed", "training speed compared with C, XLA and dense networks"),
    "rate": ("search_rate", "real searches compared with the engine of an older checkout"),
    "memory": ("engine.memory", "peak memory of a search on a million rows"),
    "long_runs": ("engine.long_runs", "saving, memory and files of 10,000 generations; memory of 10,000 trees"),
    "search": ("search_speed", "time of a generation by phase, for several populations"),
    "predict": ("predict_speed", "prediction speed compared with scikit-learn"),
    "jax_loop": ("engine.jax_loop_overhead", "training in the kernel compared with a loop in JAX over its gradient"),
    "frozen_training": ("engine.frozen_training", "what frozen subtrees save in the engine, and of its operations"),
    "tables": ("tables", "test scores of the configs in experiments/configs"),
    "hardware": ("hardware_model", "modelled cost of trees compared with measurements on an emulated core"),
    "auto": ("hardware.auto_choice", "whether another code dominates the one that auto chooses, also as measured"),
    "exact": ("compression.exact_moves", "nodes that exact reduction and entropy 0 remove"),
    "sparsity_cost": ("hardware.sparsity_cost", "time and flash of pruned trees beside their MACs"),
    "taught_cuts": ("compression.taught_cuts", "cuts that their whole tree teaches, and cuts that it does not"),
    "sign_nodes": ("compression.sign_nodes", "error and costs of hidden nodes of one bit, beside other activations"),
    "format_training": (
        "compression.trained_formats",
        "training with random signs, and of the values that weights share",
    ),
    "int8": ("int8_accuracy", "accuracy of 8-bit models"),
    "signal_costs": ("hardware.signal_costs", "costs of code that is fed samples, predicted and measured"),
    "recordings": (
        "signals.recorded_activities",
        "activities and gestures from recordings to code, beside small models",
    ),
    "narrow_costs": ("hardware.narrow_costs", "costs of formats below 8 bits, predicted and measured"),
    "formats": ("hardware.number_formats", "error and size of MNIST's tree of 10,000 weights by number format"),
    "truncation": ("truncation", "time to remove the least contributors to a hypervolume"),
    "promise": ("promise.beside_old", "errors that fronts promise and test rows keep, compared with an older checkout"),
    "decay": ("promise.decay", "weight decay by rows, and how near to the lowest error the recommended member is"),
    "alarm": ("promise.alarm", "a rare class: small trees beside gradient boosting"),
    "folds": ("promise.fixed_folds", "small trees of UCI tables in a minute of processor time"),
    "rows": ("promise.equal_time rows", "searches on a growing sample of rows and on all rows"),
    "training": ("promise.equal_time training", "searches of other learning rates, epochs and populations"),
    "sparsity": ("promise.equal_time sparsity", "searches with and without the L1 norm of edge weights in training"),
    "group_sparsity": ("promise.equal_time group_sparsity", "searches whose training takes the weights of whole nodes"),
    "temperature": ("promise.equal_time temperature", "searches that learn from teachers at several temperatures"),
    "compression": ("promise.equal_time compression", "fronts of error, flash and latency, pruned at the end"),
    "member_formats": ("promise.equal_time member_formats", "fronts whose members are int8, int4 or ternary, and int8"),
    "cutting": ("promise.equal_time cutting", "fronts whose models are pruned at the end"),
    "anytime": ("promise.anytime", "whether commands end within the time given, and what more time brings"),
    "calibration": ("promise.calibration", "probabilities with and without a temperature"),
    "coverage": ("promise.coverage", "how many test rows the 90 % intervals and label sets hold"),
    "plateau": ("promise.plateau", "where a rule would end a search, and what more generations would gain"),
    "messy": ("inputs.messy_tables", "messy tables as they are, beside scikit-learn's encoders on clean ones"),
    "streaming": ("inputs.streamed_rows", "an epoch over 100 million rows on disk: memory, and speed beside memory"),
    "big_table": ("inputs.big_table", "peak memory and seconds of a search on a large CSV file"),
    "early_exit": ("exits.exit_savings", "what an early exit and cascades save, and their classes"),
    "exit_costs": ("exits.exit_costs", "costs of code with early exits, predicted and measured"),
    "exit_speed": ("exits.exit_search_speed", "CPU seconds of searches with early exits, over those without"),
    "cascade_limits": ("exits.cascade_limits", "limits of cascades from training rows and from held-out ones"),
    "device_peers": ("devices.device_peers", "our trees beside other small models on emulated microcontrollers"),
    "workers": (
        "workers.worker_scaling",
        "a generation with threads and with Dask workers, and with more in a simulation",
    ),
    "same_front": ("workers.same_front", "whether runs leave the same files with threads, Dask and a folder"),
    "faults": ("workers.faults", "runs whose workers and search are killed, stopped and doubled, and their fronts"),
    "certificates": (
        "robustness.certified_attacks",
        "whether any attack within its certified radius changes a prediction",
    ),
    "start_up": ("start_up", "how long commands and imports take to start"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    if not given:
        print("\n".join(f"{name:<12} {doc}" for name, (_, doc) in BENCHMARKS.items()))
        return 0
    if given[0] not in BENCHMARKS:
        print(f"there is no benchmark {given[0]!r}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    module, *first = BENCHMARKS[given[0]][0].split()
    sys.argv = [f"python -m benchmarks.{module}", *first, *given[1:]]  # each module reads its own options
    return import_module(f"benchmarks.{module}").main() or 0


if __name__ == "__main__":
    raise SystemExit(main())
