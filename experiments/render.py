"""``python -m experiments.render``: write the Markdown and the figures in ``results/`` from the CSV files there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from neuraltree.cli.command import DONE, Parser, fail, fail_of_system, run_command
from search.errors import InputError

INTRODUCTION = (
    "The results of the experiments. Each section names the command that makes its numbers. `python -m experiments.run "
    "--list` lists all experiments; a stopped experiment resumes with the same command. Each row of a CSV file holds "
    "its seed, a hash of its settings, the commit, the versions and the seconds. Test rows are never used to choose "
    "anything, unless a section says so.\n\n"
    "The volume of a front is in % of a box of errors and sizes, described in "
    "[docs/experiments.md](../docs/experiments.md). Brackets after mean differences are 95 % intervals over hold-outs; "
    "p is the p-value of Wilcoxon's signed-rank test with Holm's correction."
)


def parser() -> Parser:
    made = Parser(
        prog="python -m experiments.render",
        description="Write results/*.md and results/*.png from the CSV files there; nothing is trained.",
        epilog="exit codes: 0 done, 2 bad input",
    )
    made.add_argument(
        "--results",
        type=Path,
        metavar="FOLDER",
        help="read the CSV files of another folder, such as results/quick, and write there",
    )
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    from experiments.catalogue import RESULTS

    results = parser().parse_args(argv).results or RESULTS
    try:
        return _render(results)
    except InputError as error:
        return fail(str(error))
    except OSError as error:
        return fail_of_system(error)


def _render(results: Path) -> int:
    from experiments.catalogue import MODULES, csv_path
    from experiments.frame.row_store import read_rows
    from experiments.rendering.benchmark_pages import benchmark_pages
    from experiments.rendering.text import page
    from search.folder.records import write_text

    sections = []
    for name, module in MODULES.items():
        rows = read_rows(csv_path(name, results=results))
        if not rows:
            continue
        _check_settings(name, rows)
        renderer = import_module(f"experiments.studies.{module}.page")
        renderer.render(rows, results)
        sections.append("\n\n".join(part for part in (renderer.headline(rows), _outdated(name, rows)) if part))
        print(f"{name}: {len(rows)} rows")
    if not sections:
        raise InputError(f"{results} holds no rows; run an experiment first: python -m experiments.run --list")
    write_text(results / "README.md", page("Results", INTRODUCTION, *sections, benchmark_pages(results)))
    return DONE


def _check_settings(name: str, rows: Sequence[Mapping[str, str]]) -> None:
    """``InputError`` if rows of one job on one table were made with different settings: their mean has no meaning."""
    made: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        made.setdefault((row["table"], row["job"]), set()).add(row["config"])
    mixed = [f"{table}/{job}" for (table, job), configs in made.items() if len(configs) > 1]
    if mixed:
        raise InputError(
            f"{name}: rows of {mixed[0]} were made with several settings; "
            f"make them again: python -m experiments.run {name} --fresh --only '{mixed[0]}'"
        )


def _outdated(name: str, rows: Sequence[Mapping[str, str]]) -> str | None:
    """A remark that names the jobs whose rows were made with other settings than this checkout's; None if none were."""
    from experiments.catalogue import load
    from experiments.frame.provenance import config_hash

    experiment = load(name)
    hashes = {
        (unit.table, unit.job, config_hash(experiment.settings(unit, quick)))
        for quick in (False, True)
        for unit in experiment.units(1, quick)
    }
    jobs = dict.fromkeys(row["job"] for row in rows if (row["table"], row["job"], row["config"]) not in hashes)
    return f"Made with other settings than this checkout's: {', '.join(jobs)}." if jobs else None


if __name__ == "__main__":
    run_command(main)
