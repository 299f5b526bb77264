"""Integers and scales of the weights of one node, worked out one weight at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

SHARES = [1 - 0.05 * i for i in range(13)]
PlainSnap = Callable[[Sequence[float]], tuple[list[int], float]]


def by_levels(levels: Sequence[int], shares: Sequence[float]) -> PlainSnap:
    def snap(weights: Sequence[float]) -> tuple[list[int], float]:
        largest = max(map(abs, weights)) / levels[-1]
        tried = []
        for place, share in enumerate(shares):
            scale = largest * share or 1.0
            sizes = [min(levels, key=lambda level: (abs(abs(v) / scale - level), level)) for v in weights]
            error = sum((abs(v) - size * scale) ** 2 for v, size in zip(weights, sizes, strict=True))
            tried.append((error, place, [size if v > 0 else -size for v, size in zip(weights, sizes, strict=True)]))
        _, place, integers = min(tried)
        return integers, largest * shares[place]

    return snap


def ternary(weights: Sequence[float]) -> tuple[list[int], float]:
    sizes = sorted(map(abs, weights), reverse=True)
    gains = [sum(sizes[:j]) ** 2 / j for j in range(1, len(sizes) + 1)]
    kept = 1 + max(range(len(gains)), key=lambda j: (gains[j], -j))
    order = sorted(range(len(weights)), key=lambda i: -abs(weights[i]))[:kept]
    signs = [(v > 0) - (v < 0) for v in weights]
    return [signs[i] if i in order else 0 for i in range(len(weights))], sum(sizes[:kept]) / kept


def binary(weights: Sequence[float]) -> tuple[list[int], float]:
    return [1 if v >= 0 else -1 for v in weights], sum(map(abs, weights)) / len(weights)


PLAIN_SNAPS: dict[str, PlainSnap] = {
    "int8": by_levels(range(128), SHARES[:1]),
    "int6": by_levels(range(32), SHARES),
    "int4": by_levels(range(8), SHARES),
    "int3": by_levels(range(4), SHARES),
    "ternary": ternary,
    "binary": binary,
    "power_of_two": by_levels((0, 1, 2, 4, 8, 16, 32), SHARES),
}
