"""Compression of trees: in integers, by the same computation as exported int8 code, bit for bit; in weights of few
bits; to fewer nodes; and by answers with less work."""

from neuraltree.compress.int8.dequantize import dequantized as dequantized
from neuraltree.compress.int8.effective import effective_trees as effective_trees
from neuraltree.compress.int8.integer_tree import IntegerTree as IntegerTree
from neuraltree.compress.int8.integer_tree import quantize_tree as quantize_tree
from neuraltree.compress.int8.ranges import fit_input_range as fit_input_range
from neuraltree.compress.weights.weight_formats import WEIGHT_FORMATS as WEIGHT_FORMATS
from neuraltree.compress.weights.weight_formats import quantized_weights as quantized_weights
from neuraltree.lazy import lazy_names

# What is not needed for number formats is imported when it is first used: the config reads their table from here.
_MODULES = {
    "entropy.fixed_nodes": ("without_fixed_nodes",),
    "entropy.layer_amounts": ("deck_amounts", "guided_cut", "layers_of_tree", "program_amounts"),
    "entropy.node_states": ("node_states",),
    "exits.cascade": ("Cascade", "fit_cascade"),
    "exits.early_exit": ("EarlyExit", "early_exit_of"),
    "narrow.format_training": ("finetune_format",),
    "narrow.with_format": ("weight_bits", "with_weight_format"),
    "pruning.path": ("prune", "prune_path"),
    "pruning.synaptic": ("Importance", "synaptic_importance"),
    "reduction.reduce_nodes": ("reduced",),
    "reduction.sum_intervals": ("Ends", "ends_everywhere", "ends_of_int8", "ends_of_rows"),
}
_PLACES = {name: f"neuraltree.compress.{module}" for module, names in _MODULES.items() for name in names}
__all__ = [
    *("IntegerTree", "dequantized", "effective_trees", "fit_input_range", "quantize_tree"),
    *("WEIGHT_FORMATS", "quantized_weights"),
    *_PLACES,
]
__getattr__, __dir__ = lazy_names(__name__, _PLACES)
