"""Trees as code."""

from neuraltree.export.c import export_c as export_c
from neuraltree.export.c_train import export_training as export_training
from neuraltree.export.train_step import training_step as training_step
from neuraltree.export.train_step import with_parameters as with_parameters
