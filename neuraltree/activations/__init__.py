"""The activation functions, one file each. To add one, write its file and append its row to ``table.py``."""

from neuraltree.activations.kind import Activation as Activation
from neuraltree.activations.table import ACTIVATIONS as ACTIVATIONS
from neuraltree.activations.table import ALIASES as ALIASES
from neuraltree.activations.table import NAMES as NAMES
from neuraltree.activations.table import code_of as code_of
