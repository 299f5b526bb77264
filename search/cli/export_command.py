"""``neuraltree export``: ``python -m neuraltree.export`` for a model of a run, with a card of the model beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from neuraltree.export import __main__ as exporting
from search.cli.chosen import member_of


def main(argv: Sequence[str]) -> int:
    """Returns the exit code."""
    found = member_of(Path(argv[0])) if argv else None
    if found is None:
        return exporting.main(argv)
    run, member = found

    def with_card(folder: Path, name: str) -> None:
        from search.card import write_card

        for path in write_card(run, member, folder, name):
            print(f"{path}  {path.stat().st_size:,} bytes")

    return exporting.main([str(member.path), *argv[1:]], with_card)
