"""The argument of exported functions: an array of one type, or a struct if the types of the inputs differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from neuraltree.compress.formats import DEFAULT, Input, InputSpec, inputs_of
from neuraltree.compress.input_types import Source, checked_inputs, source_of
from neuraltree.export.names import comment, members
from neuraltree.export.needed import Read, needed
from neuraltree.tree.tree import Tree


@dataclass(frozen=True)
class Argument:
    """``inputs`` and ``labels``: the type and the name of each input, or of each column if there are any."""

    name: str
    inputs: tuple[Input, ...]
    labels: tuple[str, ...]

    @property
    def is_struct(self) -> bool:
        return len({one.kind for one in self.inputs}) > 1

    @property
    def is_float(self) -> bool:
        """Whether all inputs are floats, as they are if nobody asks for integers."""
        return not any(one.row.is_integer for one in self.inputs)

    @property
    def c_type(self) -> str:
        if self.is_struct:
            return f"struct {self.name}_input"
        return self.inputs[0].row.c_type if self.inputs else "float"

    @property
    def parameter(self) -> str:
        return f"const {self.c_type} *x"

    @property
    def places(self) -> tuple[str, ...]:
        """The C expression of each input."""
        if self.is_struct:
            return tuple(f"x->{member}" for member in members(self.labels))
        return tuple(f"x[{i}]" for i in range(len(self.inputs)))

    def declared(self) -> str:
        """The struct, if there is one, and the scales of integers, for the header."""
        return "\n".join(filter(None, (self._struct(), self._scales())))

    def _struct(self) -> str:
        if not self.is_struct:
            return ""
        names = zip(self.inputs, members(self.labels), self.labels, strict=True)
        rows = [f"    {one.row.c_type} {member}; /* {comment(label)} */" for one, member, label in names]
        return "\n".join([f"/* The inputs. */\nstruct {self.name}_input {{", *rows, "};\n"])

    @property
    def scales(self) -> dict[str, float]:
        """The macro of the scale of each integer that has one."""
        names = zip(self.inputs, members(self.labels), strict=True)
        return {f"{self.name.upper()}_SCALE_{member.upper()}": one.scale for one, member in names if one.scale != 1}

    def _scales(self) -> str:
        """A macro for each integer that has a scale: of one unit of its input."""
        rows = [f"#define {macro} {_number(scale)}" for macro, scale in self.scales.items()]
        if not rows:
            return ""
        return "\n".join(
            ["/* These inputs are integers: so many times the number in the input's own unit. */", *rows, ""]
        )


def _number(scale: float) -> str:
    return str(int(scale)) if scale.is_integer() and scale < 2**31 else f"{scale!r}"


def narrowed(tree: Tree, spec: InputSpec) -> InputSpec:
    """``spec`` without the columns that the tree does not read; ``ValueError`` for a column that it does not have."""
    if isinstance(spec, str) or tree.columns is None:
        return spec
    inputs_of(spec, [column.name for column in tree.columns])
    there = [column.name for column in needed(tree).columns or ()]
    return {key: text for key, text in spec.items() if key in (*there, DEFAULT)}


def argument_of(tree: Tree, name: str, spec: InputSpec) -> Argument:
    """The argument of the functions of a tree, of whose columns it may have lost those that it does not need."""
    if tree.columns is None:
        return Argument(name, checked_inputs(tree, spec), tuple(map(str, tree.features)))
    labels = tuple(column.name for column in tree.columns)
    return Argument(name, checked_inputs(tree, spec), labels)


def sources_of(argument: Argument, read: Sequence[Read]) -> tuple[Source, ...]:
    """The source of each feature that the code reads; without columns, of each."""
    if not read:
        return tuple(source_of("value", one) for one in argument.inputs)
    return tuple(source_of(each.feature.rule, argument.inputs[each.column]) for each in read)
