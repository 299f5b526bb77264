"""Compression of trees: in integers, by the same computation as exported int8 code, bit for bit; in weights of few
bits; and by pruning."""

from neuraltree.compress.int8.dequantize import dequantized as dequantized
from neuraltree.compress.int8.effective import effective_trees as effective_trees
from neuraltree.compress.int8.integer_tree import IntegerTree as IntegerTree
from neuraltree.compress.int8.integer_tree import quantize_tree as quantize_tree
from neuraltree.compress.int8.ranges import fit_input_range as fit_input_range
from neuraltree.compress.weights.weight_formats import WEIGHT_FORMATS as WEIGHT_FORMATS
from neuraltree.compress.weights.weight_formats import quantized_weights as quantized_weights
from neuraltree.lazy import lazy_names

# What needs the engine is imported when it is first used: the config reads the table of number formats from here.
_PLACES = {
    **dict.fromkeys(("prune", "prune_path"), "neuraltree.compress.pruning.path"),
    **dict.fromkeys(("weight_bits", "with_weight_format"), "neuraltree.compress.narrow.with_format"),
    "finetune_format": "neuraltree.compress.narrow.format_training",
}
__all__ = [
    *("IntegerTree", "dequantized", "effective_trees", "fit_input_range", "quantize_tree"),
    *("WEIGHT_FORMATS", "quantized_weights"),
    *_PLACES,
]
__getattr__, __dir__ = lazy_names(__name__, _PLACES)
