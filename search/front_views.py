"""A front as people look at it: lines of text, a table in a notebook, a frame of pandas."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from neuraltree.export.extras import need
from search.objectives import metric_names

if TYPE_CHECKING:
    from search.front import Front, Member

SHOWN = 20  # members that are listed
# First metrics of runs whose test_error is 1 - test_score, so that showing it adds nothing.
ONE_LESS_SCORE: tuple[list[str], ...] = ([], ["error"], ["one_minus_r2"], ["error_rate"], ["class_errors"])
RIGHT, LEFT = ' style="text-align:right"', ' style="text-align:left"'


def as_text(front: Front) -> str:
    """A line for each of the first members: its name, its objectives, its weights and its test results.

    ``test_error``, in the run's own metric, comes before ``test_score``, unless it is 1 - ``test_score``.
    """
    names = _columns(front)
    rows = [["", *names], *(_cells(member, names) for member in front.members[:SHOWN])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.rjust, row, widths)).rstrip() for row in rows]
    return "\n".join([_title(front), *lines * bool(front.members), *_more(len(front) - SHOWN)])


def as_html(front: Front) -> str:
    """The lines of ``as_text`` as an HTML table, with the recommended member in bold, and the front's summary."""
    if not front.members:
        return f"<p>{_title(front)}</p>"
    names, recommended = _columns(front), front.recommended()
    shown = [member for i, member in enumerate(front) if i < SHOWN or member is recommended]
    head = _row("th", ["", *names, ""])
    body = [_marked(_cells(member, names), marked=member is recommended) for member in shown]
    lines = [*_more(len(front) - len(shown)), *front.summary().splitlines()]
    # Jupyter would read a $ in a name as mathematics, but for this class.
    return "\n".join(
        [
            '<div class="tex2jax_ignore">',
            f"<p>{_title(front)}</p>",
            f"<table><thead>{head}</thead><tbody>",
            *body,
            "</tbody></table>",
            f"<p>{'<br>'.join(map(escape, lines))}</p>",
            "</div>",
        ]
    )


def as_frame(front: Front) -> Any:
    """The columns of the front as a ``pandas.DataFrame``; see ``Front.to_pandas``."""
    pandas = need("pandas", "a frame", install="pandas")
    names = list(dict.fromkeys(name for member in front for name in member.values))
    recommended = front.recommended() if front.members else None
    columns = {name: [member.values.get(name) for member in front] for name in names}
    made = {
        "model": pandas.Series([member.name for member in front], dtype=object),
        "recommended": pandas.Series([member is recommended for member in front], dtype=bool),
    }
    for name in ("precision", "style"):
        if any(getattr(member, name) for member in front):
            made[name] = pandas.Series([getattr(member, name) for member in front], dtype=object)
    return pandas.DataFrame({name: pandas.Series(cells, dtype="float64") for name, cells in columns.items()} | made)


def _title(front: Front) -> str:
    return f"Front of {len(front)} model{'s' * (len(front) != 1)}"


def _more(count: int) -> list[str]:
    return [f"... and {count} more"] * (count > 0)


def _columns(front: Front) -> list[str]:
    own = ["test_error"] * (metric_names(front.objectives)[:1] not in ONE_LESS_SCORE)
    names = dict.fromkeys([*front.objective_columns(), "weights", *own, "test_score"])
    return [name for name in names if any(name in member.values for member in front.members)]


def _cells(member: Member, names: Sequence[str]) -> list[str]:
    return [member.name, *(f"{member.values[name]:.4g}" if name in member.values else "" for name in names)]


def _marked(cells: Sequence[str], *, marked: bool) -> str:
    return _row("th" if marked else "td", [*cells, "recommended" * marked])


def _row(tag: str, cells: Sequence[str]) -> str:
    """A row whose last cell, the remark, is on the left."""
    aligned = zip(cells, [*[RIGHT] * (len(cells) - 1), LEFT], strict=True)
    return f"<tr>{''.join(f'<{tag}{style}>{escape(cell)}</{tag}>' for cell, style in aligned)}</tr>"
