"""Measurement: C files are compiled for a core and run on it in an emulator, and their operations are counted."""

from neuraltree.hardware.measure.calls import Call as Call
from neuraltree.hardware.measure.cores import CORES as CORES
from neuraltree.hardware.measure.cores import MeasureError as MeasureError
from neuraltree.hardware.measure.host import host_instructions as host_instructions
from neuraltree.hardware.measure.measured import Cost as Cost
from neuraltree.hardware.measure.measured import Measurement as Measurement
from neuraltree.hardware.measure.measured import measure as measure
from neuraltree.hardware.measure.toolchains import available_compilers as available_compilers
