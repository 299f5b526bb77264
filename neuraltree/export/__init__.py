"""Trees as code, as ONNX, as formulas and as drawings."""

from neuraltree.export.c import export_c as export_c
from neuraltree.export.c_train import export_training as export_training
from neuraltree.export.dot import export_dot as export_dot
from neuraltree.export.formula import export_latex as export_latex
from neuraltree.export.formula import export_text as export_text
from neuraltree.export.onnx import export_onnx as export_onnx
from neuraltree.export.python import export_python as export_python
from neuraltree.export.train_step import training_step as training_step
from neuraltree.export.train_step import with_parameters as with_parameters
