"""The motion of nodes: the sources' numbers, and the cosine beside a plain loop."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neuraltree.updating.equilibrium import FORMS, at_rest, moved, similarity


@pytest.mark.parametrize(("form", "expected"), [("paper", [1, 0, 0.25, 0]), ("program", [1, 0, -0.25, -0.25])])
def test_velocities_are_those_of_the_sources(form: str, expected: list[float]) -> None:
    motion, found = at_rest(1), []
    for total in np.cumsum([1, 0.5, 0.25, 0.125]):  # similarities whose changes are these
        motion = moved(motion, np.array([total]), form=form, momentum=0.5)
        found.append(motion.velocity[0])
    assert found == expected


def test_every_form_is_checked() -> None:
    assert set(FORMS) == {"paper", "program"}


def _cosine(now: list[float], before: list[float]) -> float:
    lengths = math.sqrt(math.fsum(a * a for a in now)), math.sqrt(math.fsum(b * b for b in before))
    return math.fsum(a * b for a, b in zip(now, before, strict=True)) / (lengths[0] * lengths[1])


def test_similarity_is_the_cosine() -> None:
    now, before = np.random.default_rng(0).normal(1, 1, (2, 5, 30))
    plain = [_cosine(a.tolist(), b.tolist()) for a, b in zip(now, before, strict=True)]
    np.testing.assert_allclose(similarity(now, before, centred=False), plain, rtol=1e-12)
    np.testing.assert_allclose(
        similarity(now, before), [np.corrcoef(*pair)[0, 1] for pair in zip(now, before, strict=True)]
    )


@pytest.mark.parametrize("centred", [False, True])
def test_a_silent_node_is_still_or_new(centred: bool) -> None:
    silent, other = np.zeros((1, 4)), np.array([[1.0, 2, 3, 4]])
    assert similarity(silent, silent, centred=centred) == 1
    assert similarity(silent, other, centred=centred) == 0


def test_outputs_nearly_constant_are_still_only_if_they_are_not_centred() -> None:
    rng = np.random.default_rng(1)
    now, before = 0.51 + 0.01 * rng.uniform(-1, 1, (2, 1, 40))  # two unrelated courses of a sigmoid
    assert similarity(now, before, centred=False) > 0.999
    assert abs(similarity(now, before)) < 0.5
