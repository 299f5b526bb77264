"""Names of features: what is accepted, what is refused and why, and which are tried."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.signals.c_functions import C_FUNCTIONS
from neuraltree.signals.features.feature_table import FEATURES
from neuraltree.signals.filters.filter_table import FILTERS
from neuraltree.signals.front_end.axis_groups import axis_groups
from neuraltree.signals.front_end.feature_candidates import candidates
from neuraltree.signals.front_end.feature_names import parsed
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.parts.part_table import PARTS

CHANNELS = ("accx", "accy", "accz", "light")
GROUPS = {"acc": CHANNELS[:3]}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("accx", "names no feature"),
        ("accx.@64", "names no feature"),
        ("accx.mean@", "names no feature"),
        ("accx.low:.mean@64", "names no feature"),
        ("accx.mean@40", "a multiple of the hop"),
        ("accx.mean@0", "from 8 to 1024"),
        ("accx.mean@2048", "from 8 to 1024"),
        ("sound.mean@64", "'sound' is none of accx"),
        ("accx.average@64", "'average' is none of mean"),
        ("accx.smooth.mean@64", "'smooth' is none of delta"),
        ("accx.mean:3@64", "takes no parameter"),
        ("accx.percentile@64", "takes 1 to 100"),
        ("accx.percentile:101@64", "takes 1 to 100"),
        ("accx.tone:32@64", "takes 1 to 31 in a window of 64"),
        ("accx.low:40000.mean@64", "takes 50 to 22500 at 50 Hz"),
        ("acc.mean@64", "is a group of axes"),
        ("acc.low:500.mean@64", "is a group of axes"),
        ("accx.norm.mean@64", "takes all axes of a group"),
        ("acc.norm.norm.mean@64", "takes all axes of a group"),
        ("accx.correlation@64", "is of two streams; write X~Y.correlation@64"),
        ("accx~accy.mean@64", "is of one stream; write X.mean@64"),
        ("accx~accy~accz.correlation@64", "is of 3 streams"),
        ("accx~sound.correlation@64", "'sound' is none of accx"),
    ],
)
def test_a_name_that_means_nothing_is_refused(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        FrontEnd(CHANNELS, 50.0, 16, (name,), GROUPS)
    assert name in str(refused.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"channels": ("a", "a")}, "'a' cannot be a channel"),
        ({"channels": ("a.b",)}, r"'a\.b' cannot be a channel"),
        ({"groups": {"a": ("a",)}}, "'a' cannot be a channel or a group"),
        ({"groups": {"g": ("a", "c")}}, r"has \['c'\]; the channels are a, b"),
        ({"groups": {"g": ()}}, "has no channels"),
        ({"rate_hz": 0.0}, "give one above 0"),
        ({"rate_hz": float("nan")}, "give one above 0"),
        ({"hop": 0}, "give 1 to 1024"),
    ],
)
def test_channels_and_numbers_are_checked(options: dict[str, object], said: str) -> None:
    fields = {"channels": ("a", "b"), "rate_hz": 50.0, "hop": 8, "features": (), **options}
    with pytest.raises(ValueError, match=said):
        FrontEnd(**fields)  # type: ignore[arg-type]


def test_names_are_read_and_written_alike() -> None:
    for name in ("accx.sd@128", "acc.norm.delta.mean@64", "accx.low:5000.percentile:90@128", "a~b.correlation@8"):
        assert parsed(name).name == name


def test_axes_are_found_by_the_names_of_channels() -> None:
    assert axis_groups(("accx", "accy", "accz", "light")) == {"acc": ("accx", "accy", "accz")}
    assert axis_groups(("ax", "ay", "gyro_x", "gyro_y")) == {"a": ("ax", "ay"), "gyro": ("gyro_x", "gyro_y")}
    assert axis_groups(("x", "y", "z")) == {"axes": ("x", "y", "z")}
    assert axis_groups(("index", "flux", "acc", "accX", "accY")) == {}


def test_candidates_have_every_row_and_a_front_end_takes_them_all() -> None:
    names = candidates(CHANNELS, GROUPS, 50.0, (16, 64))
    assert len(set(names)) == len(names)
    wanted = [parsed(name) for name in names]
    assert {one.feature.name for one in wanted} == set(FEATURES) - {"lag"}  # which are tried where a config asks
    assert {step.name for one in wanted for step in one.stream.filters} == set(FILTERS)
    assert {one.stream.source for one in wanted} == {*CHANNELS, "acc", "accx~accy", "accx~accz", "accy~accz"}
    assert {one.window for one in wanted} == {16, 64}
    samples = np.random.default_rng(0).integers(-32767, 32768, (200, 4)).astype(np.int16)
    found = FrontEnd(CHANNELS, 50.0, 16, names, GROUPS).values(samples)
    assert found.shape == (9, len(names))
    assert len(np.unique(found, axis=1).T) > 0.5 * len(names)


@pytest.mark.parametrize(("n", "rate_hz"), [(8, 0.01), (8, 50.0), (100, 0.5), (1024, 48000.0)])
def test_what_is_tried_is_allowed(n: int, rate_hz: float) -> None:
    names = candidates(CHANNELS, None, rate_hz, (n,), pairs=[("accx", "light")])
    assert names
    FrontEnd(CHANNELS, rate_hz, n, names, GROUPS)


def test_names_of_functions_in_c_are_unique() -> None:
    names = [*FEATURES, *FILTERS, *(part.name for part in PARTS.values() if part.c), *C_FUNCTIONS]
    assert len(set(names)) == len(names)
