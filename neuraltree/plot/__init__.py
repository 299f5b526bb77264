"""Pictures of trees, drawn with Matplotlib. A public name imports its module when it is first used."""

from neuraltree.lazy import lazy_names

_PLACES = dict.fromkeys(("plot_importance", "plot_tree", "plot_weights"), "neuraltree.plot.tree_plot")

__all__ = ["plot_importance", "plot_tree", "plot_weights"]

__getattr__, __dir__ = lazy_names(__name__, _PLACES)
