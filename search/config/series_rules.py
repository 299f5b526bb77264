"""Which keys of a config fit together if the rows are made of a time series."""

from __future__ import annotations

from search.config.settings import Config
from search.strict import shown


def series_rules(config: Config) -> tuple[tuple[bool, str], ...]:
    """Whether each rule is broken, and what to say then."""
    signal = config.signal
    target, horizon = f"signal.target = {shown(signal.target)}", f"signal.horizon = {signal.horizon}"
    of_classes = {"classes": signal.classes, "background": signal.background, "one_class": signal.one_class}
    of_classes["rejection"] = signal.rejection != "none"
    given = [f"signal.{name}" for name, value in of_classes.items() if value]
    named = signal.target in signal.channels or (isinstance(signal.lags, dict) and signal.target in signal.lags)
    return (
        (
            bool(signal.horizon and not signal.target),
            f"{horizon} is about a channel that is predicted; name it as signal.target, or leave the horizon out",
        ),
        (
            bool(signal.target and not signal.is_used),
            f"{target} is predicted from features, and there are none; set signal.windows or signal.lags",
        ),
        (
            bool(signal.lags and not signal.windows and not signal.target),
            "signal.lags without signal.windows: a class is the label of a window; set signal.windows, or name a "
            "channel to predict as signal.target",
        ),
        (
            bool(signal.target and given),
            f"{target} is a number, and {' and '.join(given)} are about labels; leave out one of them",
        ),
        (
            bool(signal.target and signal.hops != (1,)),
            f"{target}: signal.hops = {list(signal.hops)} is for classes, which hold until the next decision, and a "
            "number is of its own time; leave it out, and set signal.hop",
        ),
        (
            bool(signal.target and not signal.horizon and named),
            f"{target} with signal.horizon = 0 would be predicted from itself; leave it out of signal.channels and "
            "signal.lags, or set a signal.horizon of 1 or more",
        ),
    )
