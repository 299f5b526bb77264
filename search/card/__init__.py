"""Model cards: what a model is, how good it is, what it costs, where its limits are, and how to make it again."""

from neuraltree.lazy import lazy_names

_PLACES = {
    "card_of": "search.card.card_facts",
    "card_text": "search.card.card_markdown",
    "write_card": "search.card.card_files",
}

__all__ = ["card_of", "card_text", "write_card"]

__getattr__, __dir__ = lazy_names(__name__, _PLACES)
