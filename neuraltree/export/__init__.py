"""Trees as code, as ONNX, as formulas and as drawings."""

from neuraltree.export.c.cascade_library import cascade_of as cascade_of
from neuraltree.export.c.cascade_library import export_cascade as export_cascade
from neuraltree.export.c.library import export_c as export_c
from neuraltree.export.c.training.device_step import training_step as training_step
from neuraltree.export.c.training.device_step import with_parameters as with_parameters
from neuraltree.export.c.training.on_device import export_training as export_training
from neuraltree.export.c.two_devices.split_library import export_split as export_split
from neuraltree.export.c.two_devices.split_library import halves_of as halves_of
from neuraltree.export.dot import export_dot as export_dot
from neuraltree.export.formulas.formula import export_latex as export_latex
from neuraltree.export.formulas.formula import export_text as export_text
from neuraltree.export.micropython.micropython_module import export_micropython as export_micropython
from neuraltree.export.onnx.onnx_model import export_onnx as export_onnx
from neuraltree.export.packages.arduino import export_arduino as export_arduino
from neuraltree.export.packages.platformio import export_platformio as export_platformio
from neuraltree.export.packages.zephyr import export_zephyr as export_zephyr
from neuraltree.export.python.python_module import export_python as export_python
from neuraltree.export.rust.crate import export_rust as export_rust
