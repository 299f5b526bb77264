"""Robustness to changed inputs: attacks, and certificates by interval bounds."""

from neuraltree.robustness.attacks import fgsm as fgsm
from neuraltree.robustness.attacks import noisy as noisy
from neuraltree.robustness.attacks import pgd as pgd
from neuraltree.robustness.attacks import without_inputs as without_inputs
from neuraltree.robustness.certificate import certified as certified
from neuraltree.robustness.certificate import certified_radius as certified_radius
