"""The cost of a tree on a device: counts, device profiles, and the cost models that combine them."""

from neuraltree.hardware.model.cost import COSTS as COSTS
from neuraltree.hardware.model.cost import WORST as WORST
from neuraltree.hardware.model.cost import breakdown as breakdown
from neuraltree.hardware.model.cost import costs as costs
from neuraltree.hardware.model.cost import costs_of_counts as costs_of_counts
from neuraltree.hardware.model.cost import counted as counted
from neuraltree.hardware.model.cost import fits as fits
from neuraltree.hardware.model.cost import has_worst as has_worst
from neuraltree.hardware.model.cost import laid_out as laid_out
from neuraltree.hardware.model.cost import training_ram_bytes as training_ram_bytes
from neuraltree.hardware.model.counts import Counts as Counts
from neuraltree.hardware.model.counts import count as count
from neuraltree.hardware.model.probability_cost import probability_costs as probability_costs
from neuraltree.hardware.profile.devices import Code as Code
from neuraltree.hardware.profile.devices import CycleDevice as CycleDevice
from neuraltree.hardware.profile.devices import Device as Device
from neuraltree.hardware.profile.devices import FormulaDevice as FormulaDevice
from neuraltree.hardware.profile.devices import UnsupportedDevice as UnsupportedDevice
from neuraltree.hardware.profile.load import load_device as load_device
from neuraltree.hardware.profile.places import ProfileError as ProfileError
from neuraltree.hardware.profile.places import device_names as device_names
