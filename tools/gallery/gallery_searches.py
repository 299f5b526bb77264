"""The searches whose pictures the gallery shows where no run folders are given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from neuraltree.cli.command import DONE
from search.errors import InputError

BASELINES = 'models = ["linear", "mlp_8", "mlp_100", "pruned_mlp", "cart"]'

# By name: the config of each, on tables that come with scikit-learn.
SEARCHES = {
    "breast_cancer": f"""
[data]
source = "breast_cancer"

[search]
population = 100
generations = 30
objectives = ["log_loss", "latency_s", "flash_bytes"]

[hardware]
device = "cortex-m4f"

[constraints]
latency_s = 3e-6

[baselines]
{BASELINES}
""",
    "wine": """
[data]
source = "wine"

[search]
population = 100
generations = 30
objectives = ["log_loss", "weights", "class_errors"]
""",
    "digits": """
[data]
source = "digits"
drop = ["pixel_0_0", "pixel_4_0", "pixel_4_7"]  # constant

[space]
max_nodes = 120

[search]
population = 60
generations = 20
folds = 1
objectives = ["log_loss", "weights"]
""",
}


def search_all(folder: Path, say: Callable[[str], None]) -> dict[str, Path]:
    """Run them into folders of ``folder``, by name; raises ``InputError`` where one does not end well."""
    from search.run import main

    runs = {name: folder / name for name in SEARCHES}
    for name, run in runs.items():
        say(f"searching {name}")
        config = folder / f"{name}.toml"
        config.write_text(SEARCHES[name], encoding="utf-8")
        if main([str(config), "--out", str(run), "--quiet"]) != DONE:
            raise InputError(f"the search of {name} did not end; run it by hand to see why, and give the folder as RUN")
    return runs
