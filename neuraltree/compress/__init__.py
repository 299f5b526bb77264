"""Smaller trees: in integers, the same computation as exported int8 code bit for bit; and with fewer nodes."""

from neuraltree.compress.entropy.fixed_nodes import without_fixed_nodes as without_fixed_nodes
from neuraltree.compress.entropy.layer_amounts import deck_amounts as deck_amounts
from neuraltree.compress.entropy.layer_amounts import guided_cut as guided_cut
from neuraltree.compress.entropy.layer_amounts import layers_of_tree as layers_of_tree
from neuraltree.compress.entropy.layer_amounts import program_amounts as program_amounts
from neuraltree.compress.entropy.node_states import node_states as node_states
from neuraltree.compress.int8.dequantize import dequantized as dequantized
from neuraltree.compress.int8.effective import effective_trees as effective_trees
from neuraltree.compress.int8.integer_tree import IntegerTree as IntegerTree
from neuraltree.compress.int8.integer_tree import quantize_tree as quantize_tree
from neuraltree.compress.int8.ranges import fit_input_range as fit_input_range
from neuraltree.compress.pruning.synaptic import Importance as Importance
from neuraltree.compress.pruning.synaptic import synaptic_importance as synaptic_importance
from neuraltree.compress.reduction.reduce_nodes import reduced as reduced
from neuraltree.compress.reduction.sum_intervals import Ends as Ends
from neuraltree.compress.reduction.sum_intervals import ends_everywhere as ends_everywhere
from neuraltree.compress.reduction.sum_intervals import ends_of_int8 as ends_of_int8
from neuraltree.compress.reduction.sum_intervals import ends_of_rows as ends_of_rows
