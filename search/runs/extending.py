"""A run that goes on: more generations, or more time, for a run that is complete or was interrupted.

No generation depends on the number of all, so a run of 20 generations that goes on to 40 has the bits of one of 40.
"""

from __future__ import annotations

from typing import Any

from search.card.card_files import OF_RUN
from search.config.config import Config, config_hash, to_toml
from search.errors import InputError
from search.folder.baselines_csv import FILE as BASELINES
from search.folder.generation_parts import split_parts
from search.folder.records import RunFolder, write_text


def extend(folder: RunFolder, manifest: dict[str, Any], config: Config) -> Config:
    """Prepare the folder for a search of another length, as in ``config``; returns the config.

    ``InputError`` if the run has done more generations, or all of them.
    """
    done, complete = folder.last_generation(), manifest.get("status") == "complete"
    wanted = config.search.generations
    if not config.search.time and done is not None and (wanted < done or (complete and wanted == done)):
        raise InputError(f"the run in {folder.path} has done {done} generations; --generations {wanted} must be more")
    if complete:
        split_parts(folder)
    # They are about the recommended member of the front that is about to change.
    for name in (BASELINES, *OF_RUN.values()):
        (folder.path / name).unlink(missing_ok=True)
    write_text(folder.path / "config.toml", to_toml(config))
    again = {"search_ended": None} if "search_ended" in manifest else {}
    timed = {"timed_from": done or 0} if config.search.time else {}
    folder.update_manifest(status="interrupted", config_hash=config_hash(config), **timed, **again)
    return config
