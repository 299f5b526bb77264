"""results/deep_compression.md and .png."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from experiments.rendering.searches import ResultRows, names, of, present
from experiments.rendering.text import figure, page, right, whole
from experiments.studies.deep_compression.run import CUT, EPOCHS, MODELS, ROUNDS, TABLES, WAYS
from neuraltree.compress import WEIGHT_FORMATS
from neuraltree.plot import style
from search.folder.records import write_text
from search.pictures.run_pictures import save

SIZES = {job: job.removeprefix("formats_").replace("k", ",000") for job in MODELS if job.startswith("formats_")}
SHOWN = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}
TITLE, COMMAND = "Compression of trees from pixels", "`python -m experiments.run deep_compression`"
TEXT = f"""Made by {COMMAND}. The trees are those of the [study of MNIST](mnist.md);
errors are those of the 10,000 test images, in %, means ± sd over seeds. Nothing is trained after weights got fewer
bits."""
STAGES = """## Deep compression

The stages of Han et al. 2016 (*Deep compression*): a dense tree, its pruned version, weights that share 32 to 4 values,
and Huffman codes of these values and of the gaps between a node's inputs. KB (1,000 bytes) count all weights, biases,
positions and tables; *ratio* is that to the dense tree. With Huffman codes, the slides of the source state ratios
of 35 for AlexNet and 49 for VGG-16."""
FORMATS = """## Number formats by size

Test errors by the number of weights. Edges into outputs keep 8 bits in all formats of integers and of shared values."""
ENTROPY = f"""## Entropy-guided pruning

Trees of 10,000 weights with two levels of hidden nodes (4 for each class, each with 5), in {ROUNDS} rounds. A round
cuts {100 * CUT:g} % and trains for {EPOCHS} epochs on pictures that are shifted anew. *entropy*: by layers, as the
authors' program shares its cuts out; the others cut as many nodes of the whole tree. *hidden*: hidden nodes that are
left, with the mean entropy of their states in bits. The softmax of the program gives nearly all cuts to the layer of
least entropy x weight. In a tree, what hangs on a cut edge goes with it."""
NAMED = ("float", "int4", "ternary")  # in the picture
PICTURE = "![error against bytes](deep_compression.png)"


def render(rows: ResultRows, results: Path) -> None:
    parts = [TEXT]
    for job, (heading, table) in SECTIONS.items():
        own = [row for row in rows if row["job"].startswith(job)]
        tables = present(TABLES, own, "table")
        parts += [heading, f"{_seeds(own)}.", *(table(rows, name) for name in tables)] if tables else []
    write_text(results / "deep_compression.md", page(TITLE, *parts, PICTURE))
    save(picture(rows), results / "deep_compression.png")


def mean(rows: ResultRows, column: str, scale: float = 1.0) -> float:
    values = [float(row[column]) for row in rows if row[column]]
    return scale * float(np.mean(values)) if values else float("nan")


def error(rows: ResultRows) -> str:
    """In %, mean ± sd over the seeds."""
    errors = [100 * float(row["test_error"]) for row in rows]
    spread = f" ± {figure(float(np.std(errors, ddof=1)), 2)}" if len(errors) > 1 else ""
    return f"{figure(float(np.mean(errors)), 2)}{spread}" if errors else figure(None)


def _named(rows: ResultRows, table: str, job: str, name: str) -> ResultRows:
    return [row for row in of(rows, table, job) if row["name"] == name]


def _stages(rows: ResultRows, table: str) -> str:
    own = of(rows, table, "stages")
    dense = mean([row for row in own if row["name"] == "dense"], "bytes")
    lines = []
    for name in names(own, "name"):
        found = _named(rows, table, "stages", name)
        sizes = [mean(found, column) for column in ("bytes", "huffman_bytes")]
        cells = [cell for size in sizes for cell in (figure(size / 1000, 1), figure(dense / size, 1))]
        lines.append([name, whole(mean(found, "weights")), error(found), *cells])
    return right([SHOWN[table], "weights", "error, %", "KB", "ratio", "KB by Huffman codes", "ratio"], lines)


def _formats(rows: ResultRows, table: str) -> str:
    jobs = present(SIZES, [row for row in rows if row["table"] == table], "job")
    lines = [[name, *(error(_named(rows, table, job, name)) for job in jobs)] for name in ("float", *WEIGHT_FORMATS)]
    return right([SHOWN[table], *(f"{SIZES[job]} weights" for job in jobs)], lines)


def _entropy(rows: ResultRows, table: str) -> str:
    lines = []
    for way in WAYS:
        for place in map(str, range(ROUNDS + 1)):
            found = [row for row in _named(rows, table, "entropy", way) if row["round"] == place]
            if place != "0" or way == WAYS[0]:
                about = [whole(mean(found, column)) for column in ("weights", "hidden")]
                name = "the whole tree" if place == "0" else f"{way}, round {place}"
                lines.append([name, *about, figure(mean(found, "entropy"), 2), error(found)])
    return right([SHOWN[table], "weights", "hidden", "entropy", "error, %"], lines)


SECTIONS = {"stages": (STAGES, _stages), "formats": (FORMATS, _formats), "entropy": (ENTROPY, _entropy)}
HEAD = ("dense KB", "error, %", "pruned, 16 shared values, Huffman codes: KB", "error, %")


def headline(rows: ResultRows) -> str:
    lines = [_short(rows, table) for table in present(TABLES, rows, "table")]
    text = f"{COMMAND}, {_seeds(rows)}; [deep_compression.md](deep_compression.md)."
    return f"## {TITLE}\n\n{text}\n\n{right(['', *HEAD], lines)}"


def _seeds(rows: ResultRows) -> str:
    most = len(names(rows, "seed"))
    return f"{most} seeds" if most > 1 else "1 seed"


def _short(rows: ResultRows, table: str) -> list[str]:
    dense, small = (_named(rows, table, "stages", name) for name in ("dense", "shared4"))
    sizes = mean(dense, "bytes", 0.001), mean(small, "huffman_bytes", 0.001)
    return [SHOWN[table], figure(sizes[0], 1), error(dense), figure(sizes[1], 1), error(small)]


def picture(rows: ResultRows) -> Figure:
    """Error against the bytes of the weights, a colour for each size."""
    made = Figure(figsize=(9, 4), layout="constrained")
    tables = present(TABLES, rows, "table")
    colours = dict(zip(SIZES, (style.BLUE, style.VERMILION, style.GREEN, style.PURPLE), strict=True))
    for ax, table in zip(made.subplots(1, len(tables), squeeze=False)[0], tables, strict=True):
        for job in present(SIZES, [row for row in rows if row["table"] == table], "job"):
            points = {name: _point(_named(rows, table, job, name)) for name in ("float", *WEIGHT_FORMATS)}
            ax.scatter(*np.array(list(points.values())).T, color=colours[job], s=14, label=f"{SIZES[job]} weights")
            for name in NAMED:
                ax.annotate(name, points[name], fontsize=7, xytext=(3, 3), textcoords="offset points")
        ax.set(title=SHOWN[table], xlabel="KB of weights", ylabel="test error, %")
        ax.grid(alpha=0.25)
        if ax.collections:
            ax.set_xscale("log")
            ax.legend(frameon=False, fontsize=8)
    return made


def _point(rows: ResultRows) -> tuple[float, float]:
    return mean(rows, "bytes", 0.001), mean(rows, "test_error", 100.0)
