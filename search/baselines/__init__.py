"""Ordinary models trained beside a run on the same rows, for comparison with its front."""

from search.baselines.files import Baseline as Baseline
from search.baselines.files import load_baselines as load_baselines
