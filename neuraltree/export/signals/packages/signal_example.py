"""What the examples of packages of streaming C share: files, a line about the model, and lines of C."""

from __future__ import annotations

import re
from typing import NamedTuple

from neuraltree.export.names import comment, constants
from neuraltree.export.packages.example import CHANGED, text_literal
from neuraltree.export.signals.signal_library import export_signal
from neuraltree.signals.signal_model import SignalModel

MICROSECONDS = 1_000_000


class Streaming(NamedTuple):
    """``headers`` and ``sources``: C files of the model and of its tree, by name; ``vectors``: the header of the
    self-test; ``text``: what it is, in a line."""

    model: SignalModel
    name: str
    headers: dict[str, str]
    sources: dict[str, str]
    vectors: str
    text: str

    @property
    def header(self) -> str:
        return self.headers[f"{self.name}.h"]


def streaming(model: SignalModel, name: str, precision: str, style: str) -> Streaming:
    """The model's C; the options and refusals are those of ``export_signal``."""
    files = export_signal(model, name, precision=precision, style=style)
    headers, sources = (
        {file: text for file, text in files.items() if file.endswith(ending) and "/" not in file}
        for ending in (".h", ".c")
    )
    found = re.search(r"A neural tree that is fed samples: (.*?)\.\n", headers[f"{name}.h"])
    text = f"fed samples: {found[1]}" if found else "fed samples"
    return Streaming(model, name, headers, sources, files[f"test/{name}_vectors.h"], text)


def example(template: str, made: Streaming, **texts: str) -> str:
    """The template with its marks replaced, in one pass: no name of the user's is taken for a mark."""
    known = {
        "HEAD": f"// An example for the model {made.name}. {CHANGED}",
        "NAME": made.name,
        "UPPER": made.name.upper(),
        "PERIOD": str(round(MICROSECONDS / made.model.front_end.rate_hz)),
        "FILL": _fill(made),
        **texts,
    }
    return re.sub(f"@({'|'.join(known)})@", lambda mark: known[mark[1]], template)


def _fill(made: Streaming) -> str:
    """A statement for each channel, with the number of its resting sensor."""
    front_end = made.model.front_end
    places = constants(f"{made.name.upper()}_CHANNEL", front_end.channels)
    counts = front_end.counts_per_unit
    units = [f", {count:g} for 1 of its unit" for count in counts] or [""] * len(places)
    return "\n".join(
        f"    sample[{place}] = 0; // {comment(channel)}{unit}"
        for place, channel, unit in zip(places, front_end.channels, units, strict=True)
    )


def event_rows(made: Streaming) -> list[tuple[str, str]]:
    """The C constant of each event, and its name as a string literal; the background is none."""
    classes, upper = made.model.tree.classes or (), made.name.upper()
    rows = zip(constants(f"{upper}_CLASS", classes), map(text_literal, classes), strict=True)
    found = [row for i, row in enumerate(rows) if i != made.model.events.background]
    return [*found, (f"{upper}_UNKNOWN", '"unknown"')] if classes else []
