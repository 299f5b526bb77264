"""From run folders to the pictures of the gallery and the page that shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from search.errors import InputError
from search.folder.records import write_text
from search.strict import one_line
from tools.gallery.gallery_entries import ENTRIES, OPENING, Entry

INTRODUCTION = """# Gallery

Every picture is drawn by Matplotlib on the axes given as `ax`, or on new ones, and the function returns them.
Colours are told apart with any colour vision, and never are the only sign. All code below goes on from

```python
run = "results/mine"  # the folder of a finished run
{opening}
```

This page and its pictures are made by `python -m tools.gallery`, which takes a minute or two; with the folders of your
own runs, `python -m tools.gallery results/mine --out mine`, it shows those.
"""
HEADING = INTRODUCTION.splitlines(keepends=True)[0]  # of every page: what may be replaced by the next one
SECTION = """
## {title}

![{alt}]({picture})

{reading}

```python
{code}
```
"""


def page(folder: str, shown: Sequence[Entry]) -> str:
    """The text of the page for the pictures in ``folder``, which is beside it."""
    sections = (
        SECTION.format(picture=quote(f"{folder}/{entry.name}.png"), **entry._asdict() | {"code": entry.code.strip()})
        for entry in shown
    )
    return INTRODUCTION.format(opening=OPENING.strip()) + "".join(sections)


def check_free(folder: Path) -> None:
    """``InputError`` where the pictures or the page would replace anything but those of an earlier gallery."""
    page_path = page_of(folder)
    try:
        if page_path.is_file() and page_path.read_text("utf-8", errors="replace").startswith(HEADING):
            return
        free = not page_path.exists() and not (folder.exists() and any(folder.iterdir()))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot write {folder}: {one_line(error)}; name a new folder with --out") from None
    if not free:
        raise InputError(
            f"{folder} or {page_path} is there already and no gallery; name a new folder with --out, or delete them"
        )


def page_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.md")


def draw_all(runs: Mapping[str, Path], folder: Path, say: Callable[[str], None]) -> None:
    """Write a PNG for every picture that a run has the data for, and the page beside ``folder``.

    A picture is of the run that it names, or else of the first that will do.
    """
    spaces = {name: _opened(path) for name, path in runs.items()}
    folder.mkdir(parents=True, exist_ok=True)
    shown = [entry for entry in ENTRIES if _drawn(entry, spaces, folder, say)]
    path = page_of(folder)
    write_text(path, page(folder.name, shown))
    say(str(path))


def _opened(run: Path) -> dict[str, Any]:
    space: dict[str, Any] = {"run": str(run)}
    exec(OPENING, space)  # the page's own lines, so that they cannot differ from what was run
    return space


def _drawn(entry: Entry, spaces: Mapping[str, dict[str, Any]], folder: Path, say: Callable[[str], None]) -> bool:
    import matplotlib.pyplot as plt

    from search.pictures.run_pictures import save

    path = folder / f"{entry.name}.png"
    reasons = []
    for name in sorted(spaces, key=lambda name: name != entry.search):
        space = dict(spaces[name])
        try:
            exec(entry.code, space)
        except ValueError as error:  # the run has no such column, or no classes
            reasons.append(f"{name}: {error}")
            continue
        finally:
            plt.close("all")
        save(space["ax"].figure, path)
        say(f"{path}  {path.stat().st_size / 1000:.0f} kB")
        return True
    say(f"{entry.name} left out: {'; '.join(reasons)}")
    return False
