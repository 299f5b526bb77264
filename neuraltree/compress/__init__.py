"""Smaller trees: in integers, the same computation as exported int8 code bit for bit; and with fewer nodes."""

from neuraltree.compress.int8.dequantize import dequantized as dequantized
from neuraltree.compress.int8.effective import effective_trees as effective_trees
from neuraltree.compress.int8.integer_tree import IntegerTree as IntegerTree
from neuraltree.compress.int8.integer_tree import quantize_tree as quantize_tree
from neuraltree.compress.int8.ranges import fit_input_range as fit_input_range
from neuraltree.compress.reduction.reduce_nodes import reduced as reduced
from neuraltree.compress.reduction.sum_intervals import Ends as Ends
from neuraltree.compress.reduction.sum_intervals import ends_everywhere as ends_everywhere
from neuraltree.compress.reduction.sum_intervals import ends_of_int8 as ends_of_int8
from neuraltree.compress.reduction.sum_intervals import ends_of_rows as ends_of_rows
