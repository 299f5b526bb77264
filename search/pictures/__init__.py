"""The pictures of a search, by Matplotlib: functions that draw on ``ax`` and return it, and the files of a run folder.

Without ``ax``, the axes are those of a new pyplot figure. Legends stand next to the axes: your own figure
needs ``layout="constrained"``, or ``bbox_inches="tight"`` when it is saved, to make room for them.
"""

from search.pictures.genealogy import plot_genealogy
from search.pictures.learnability import plot_learnability
from search.pictures.many import plot_front_3d, plot_parallel
from search.pictures.over_generations import plot_activations, plot_generations, plot_hypervolume
from search.pictures.run_pictures import draw_front, draw_hypervolume
from search.pictures.trade_off import plot_front

__all__ = [
    "draw_front",
    "draw_hypervolume",
    "plot_activations",
    "plot_front",
    "plot_front_3d",
    "plot_genealogy",
    "plot_generations",
    "plot_hypervolume",
    "plot_learnability",
    "plot_parallel",
]
