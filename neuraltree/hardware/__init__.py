"""What a tree costs on a device: counts, device profiles, and the linear model that joins them."""

from neuraltree.hardware.cost import COSTS as COSTS
from neuraltree.hardware.cost import costs as costs
from neuraltree.hardware.cost import costs_of_counts as costs_of_counts
from neuraltree.hardware.counts import Counts as Counts
from neuraltree.hardware.counts import count as count
from neuraltree.hardware.profiles import Device as Device
from neuraltree.hardware.profiles import ProfileError as ProfileError
from neuraltree.hardware.profiles import device_names as device_names
from neuraltree.hardware.profiles import load_device as load_device
