"""Trees in integers, the same computation as exported int8 code bit for bit, and trees with weights of few bits."""

from neuraltree.compress.int8.dequantize import dequantized as dequantized
from neuraltree.compress.int8.effective import effective_trees as effective_trees
from neuraltree.compress.int8.integer_tree import IntegerTree as IntegerTree
from neuraltree.compress.int8.integer_tree import quantize_tree as quantize_tree
from neuraltree.compress.int8.ranges import fit_input_range as fit_input_range
from neuraltree.compress.narrow.with_format import weight_bits as weight_bits
from neuraltree.compress.narrow.with_format import with_weight_format as with_weight_format
from neuraltree.compress.weights.weight_formats import WEIGHT_FORMATS as WEIGHT_FORMATS
from neuraltree.compress.weights.weight_formats import quantized_weights as quantized_weights
