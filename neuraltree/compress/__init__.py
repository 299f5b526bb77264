"""Trees in integers: the same computation as exported int8 code, bit for bit."""

from neuraltree.compress.int8.dequantize import dequantized as dequantized
from neuraltree.compress.int8.effective import effective_trees as effective_trees
from neuraltree.compress.int8.integer_tree import IntegerTree as IntegerTree
from neuraltree.compress.int8.integer_tree import quantize_tree as quantize_tree
from neuraltree.compress.int8.ranges import fit_input_range as fit_input_range
