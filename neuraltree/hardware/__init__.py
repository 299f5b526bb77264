"""What a tree costs on a device: counts, device profiles, and the models that join them."""

from neuraltree.hardware.cost import COSTS as COSTS
from neuraltree.hardware.cost import breakdown as breakdown
from neuraltree.hardware.cost import costs as costs
from neuraltree.hardware.cost import costs_of_counts as costs_of_counts
from neuraltree.hardware.cost import counted as counted
from neuraltree.hardware.cost import fits as fits
from neuraltree.hardware.cost import training_ram_bytes as training_ram_bytes
from neuraltree.hardware.counts import Counts as Counts
from neuraltree.hardware.counts import count as count
from neuraltree.hardware.devices import Code as Code
from neuraltree.hardware.devices import CycleDevice as CycleDevice
from neuraltree.hardware.devices import Device as Device
from neuraltree.hardware.devices import FormulaDevice as FormulaDevice
from neuraltree.hardware.devices import UnsupportedDevice as UnsupportedDevice
from neuraltree.hardware.places import ProfileError as ProfileError
from neuraltree.hardware.places import device_names as device_names
from neuraltree.hardware.profiles import load_device as load_device
