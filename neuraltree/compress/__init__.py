"""Compression of trees: in integers, by the same computation as exported int8 code, bit for bit; by pruning; and by
answers with less work."""

from neuraltree.compress.exits.cascade import Cascade as Cascade
from neuraltree.compress.exits.cascade import fit_cascade as fit_cascade
from neuraltree.compress.exits.early_exit import EarlyExit as EarlyExit
from neuraltree.compress.exits.early_exit import early_exit_of as early_exit_of
from neuraltree.compress.int8.dequantize import dequantized as dequantized
from neuraltree.compress.int8.effective import effective_trees as effective_trees
from neuraltree.compress.int8.integer_tree import IntegerTree as IntegerTree
from neuraltree.compress.int8.integer_tree import quantize_tree as quantize_tree
from neuraltree.compress.int8.ranges import fit_input_range as fit_input_range
from neuraltree.lazy import lazy_names

# What needs the engine is imported when it is first used: the config reads the table of number formats from here.
_PLACES = dict.fromkeys(("prune", "prune_path"), "neuraltree.compress.pruning.path")
__all__ = [
    *("Cascade", "EarlyExit", "IntegerTree", "dequantized", "early_exit_of", "effective_trees", "fit_cascade"),
    *("fit_input_range", "quantize_tree"),
    *_PLACES,
]
__getattr__, __dir__ = lazy_names(__name__, _PLACES)
