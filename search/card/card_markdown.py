"""A card as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from neuraltree.cli.markdown import code, literal, table
from search.folder.columns import COLUMNS

PREFIXES = {0: "", -1: "m", -2: "µ", -3: "n", -4: "p"}  # by the power of 1000
MOST = 30  # names in a list; the JSON has all


def card_text(card: Mapping[str, Any]) -> str:
    """The Markdown of a card of ``card_of``; names are shown as they are, whatever characters they have."""
    sections = (_errors, _baselines, _costs, _limits, _reproduce)
    parts = [_title(card), *_model(card["model"]), *_data(card), *(line for part in sections for line in part(card))]
    return "\n\n".join(parts) + "\n"


def _title(card: Mapping[str, Any]) -> str:
    target, source = card["data"].get("target", "the last column"), card["data"]["source"]
    return f"# Model card: {literal(target)} of {literal(source)}"


def _model(model: Mapping[str, Any]) -> Iterable[str]:
    yield "## Model"
    recommended = code(model["recommended_file"])
    chosen = "recommended" if model["is_recommended"] else f"not the recommended one of its run, {recommended}"
    kinds = ", ".join(f"{count} {name}" for name, count in model["activations"].items())
    facts = {
        "file": f"{code(model['file'])}, {chosen}",
        "kind": f"neural tree, {model['kind']}",
        "size": f"{model['weights']} weights, {model['nodes']} nodes, depth {model['depth']}",
        "activations": kinds,
        f"inputs, {len(model['inputs'])} of {model['features']}": _names(model["inputs"]) or "none",
    }
    if "columns" in model:
        facts["columns of these inputs"] = _names([_column(column) for column in model["columns"]])
    if "classes" in model:
        facts["classes"] = _names(model["classes"])
    if "threshold" in model:
        facts["threshold"] = f"the second class is predicted above a probability of {model['threshold']:.4g}"
    if "band" in model:
        near = f"within {model['band']:.4g} of the prediction"
        among = f"among the most probable class and those of a probability of {model['band']:.4g} or more"
        facts["band"] = f"in about 90% of new rows the truth is {among if 'classes' in model else near}"
    yield _facts(facts)


def _column(column: Mapping[str, Any]) -> str:
    levels = f": {', '.join(column['levels'][:MOST])}" if "levels" in column else ""
    return f"{column['name']} ({column['encoder']}{levels})"


def _data(card: Mapping[str, Any]) -> Iterable[str]:
    yield "## Data"
    data = card["data"]
    facts = {"source": literal(data["source"])}
    facts |= {name: literal(data[name]) for name in ("target", "digest", "split") if name in data}
    counts = [f"{data[f'{part}_rows']} to {part}" for part in ("train", "test") if f"{part}_rows" in data]
    if counts:
        facts["rows"] = ", ".join(counts)
    if "class_rows" in data:
        rows = zip(card["model"]["classes"], data["class_rows"]["train"], data["class_rows"]["test"], strict=True)
        facts["rows of each class"] = _names([f"{label}: {a} to train, {b} to test" for label, a, b in rows], "; ")
    yield _facts(facts)
    if "notes" in data:
        yield "What the run said of the data:"
        yield _list(data["notes"])


def _errors(card: Mapping[str, Any]) -> Iterable[str]:
    yield "## Errors"
    errors = card["errors"]
    unit = f" (unit: {errors['unit']})" if "unit" in errors else ""
    yield f"The metric of the errors is {code(errors['metric'])}{unit}; lower is better. Scores are better if higher."
    rows = [
        (literal(row["label"]), _with_error(row["value"], row.get("standard_error")), row["use"])
        for row in errors["rows"]
    ]
    yield table(("figure", "value", "how it was measured, and what it chose"), rows)


def _baselines(card: Mapping[str, Any]) -> Iterable[str]:
    yield "## Against ordinary models"
    rows = card["baselines"]
    yield _list(card["verdict"])
    if not rows:
        yield "The run has no baselines."
        return
    if any("verdict" in row for row in rows):
        yield "A difference is to the recommended model, in the same folds: those of the first repeat of the judgement."
    yield table(
        ("model", "weights", "validation error", "honest error", "difference", "verdict"),
        [
            (
                literal(row["label"]),
                str(row["weights"]),
                _with_error(row["val_error"], None),
                _with_error(row.get("honest_error"), row.get("honest_error_se")),
                _with_error(row.get("honest_difference"), row.get("honest_difference_se"), sign="+"),
                row.get("verdict", ""),
            )
            for row in rows
        ],
    )


def _costs(card: Mapping[str, Any]) -> Iterable[str]:
    yield "## Costs"
    costs = card["costs"]
    facts = {"device": literal(costs.get("device", "none")), "number format": costs["number_format"]}
    if "device" in costs:
        facts["code"] = f"{costs['code_style']}, compiled by {costs['compiler']}; other code has other costs"
    if "constraints" in costs:
        facts["constraints"] = ", ".join(
            f"{code(name)} at most {most:g}" for name, most in costs["constraints"].items()
        )
    yield _facts(facts)
    if not costs["rows"]:
        return
    cells = [
        (row["label"], _amount(row["name"], row["predicted"]), _amount(row["name"], row.get("measured")))
        for row in costs["rows"]
    ]
    yield table(("cost of one prediction", "predicted", "measured"), cells)


def _limits(card: Mapping[str, Any]) -> Iterable[str]:
    yield "## Limits"
    yield _list(card["limits"])


def _reproduce(card: Mapping[str, Any]) -> Iterable[str]:
    yield "## How to reproduce"
    made = card["reproduce"]
    yield "In a folder with the run's `config.toml` and the files that it names:"
    yield f"```bash\n{made['command']}\n```"
    facts = {name: literal(made[name]) for name in ("seed", "generations", "evaluations", "engine") if name in made}
    known = {"config_hash": "hash of the config", "git_commit": "commit"}
    facts |= {label: code(made[name]) for name, label in known.items() if name in made}
    for name in ("versions", "machine"):
        if name in made:
            facts[name] = ", ".join(f"{literal(key)} {literal(value)}" for key, value in made[name].items())
    yield _facts(facts)


def _facts(facts: Mapping[str, str]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {literal(line)}" for line in lines)


def _names(names: Sequence[object], between: str = ", ") -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return between.join(map(literal, names[:MOST])) + more


def _with_error(value: float | None, spread: float | None, sign: str = "") -> str:
    if value is None:
        return ""
    return f"{value:{sign}.4f}" + ("" if spread is None else f" ± {spread:.4f}")


def _amount(name: str, value: float | None) -> str:
    """A cost with its unit, as 3.2 µs or 812 B."""
    if value is None:
        return ""
    column = COLUMNS[name]
    if column.form == "count":
        return f"{value:.0f} {column.unit}"
    power = min(0, max(min(PREFIXES), math.floor(math.log10(value) / 3))) if value > 0 else 0
    return f"{value / 1000.0**power:.4g} {PREFIXES[power]}{column.unit}"
