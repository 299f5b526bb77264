"""Layers against the sources' tables: AlexNet cell by cell, pruned multiply-accumulates, and 45 nm energies."""

import pytest

from neuraltree.hardware.model.energy import PICOJOULE, macs_j, read_j
from neuraltree.hardware.model.layer_network import network
from neuraltree.hardware.model.layers import Convolution, Depthwise, Linear, Pooling, macs_left

ALEXNET = network(
    [
        Convolution(96, 11, stride=4, padding=2),
        Pooling(3, 2),
        Convolution(256, 5, padding=2, groups=2),
        Pooling(3, 2),
        Convolution(384, 3, padding=1),
        Convolution(384, 3, padding=1, groups=2),
        Convolution(256, 3, padding=1, groups=2),
        Pooling(3, 2),
        Linear(4096),
        Linear(4096),
        Linear(1000),
    ],
    (3, 224, 224),
)
# Shape, parameters, activations, input plus output activations, multiply-accumulates.
TABLE = [
    ((96, 55, 55), 34_848, 290_400, 440_928, 105_415_200),
    ((96, 27, 27), 0, 69_984, 360_384, 0),
    ((256, 27, 27), 307_200, 186_624, 256_608, 223_948_800),
    ((256, 13, 13), 0, 43_264, 229_888, 0),
    ((384, 13, 13), 884_736, 64_896, 108_160, 149_520_384),
    ((384, 13, 13), 663_552, 64_896, 129_792, 112_140_288),
    ((256, 13, 13), 442_368, 43_264, 108_160, 74_760_192),
    ((256, 6, 6), 0, 9_216, 52_480, 0),
    ((4096,), 37_748_736, 4_096, 13_312, 37_748_736),
    ((4096,), 16_777_216, 4_096, 8_192, 16_777_216),
    ((1000,), 4_096_000, 1_000, 5_096, 4_096_000),
]


@pytest.mark.parametrize("i", range(len(TABLE)))
def test_alexnet_layer_by_layer(i):
    row = ALEXNET.rows[i]
    assert (row.output, row.parameters, row.activations, row.in_out, row.macs) == TABLE[i]
    assert row.input == (TABLE[i - 1][0] if i else (3, 224, 224))


def test_alexnet_altogether():
    assert len(ALEXNET.rows) == len(TABLE)
    assert ALEXNET.parameters == 60_954_656
    assert ALEXNET.total_activations == 932_264
    assert ALEXNET.peak_activations == 440_928
    assert ALEXNET.macs == 724_406_816
    assert ALEXNET.flops == 1_448_813_632
    assert ALEXNET.size_bytes(8) == 60_954_656
    assert ALEXNET.size_bytes(32) == 243_818_624
    assert ALEXNET.size_bytes(32) / 2**20 == pytest.approx(232.5, abs=0.05)
    assert ALEXNET.size_bytes(1) == 60_954_656 / 8
    linear = sum(row.parameters for row in ALEXNET.rows[-3:])
    assert linear / ALEXNET.parameters == pytest.approx(0.962, abs=5e-4)
    assert 1 - linear / ALEXNET.macs == pytest.approx(0.919, abs=5e-4)


@pytest.mark.parametrize(("sparsity", "left"), [(0.1, 65.1), (0.3, 50.6), (0.5, 36.2), (0.7, 21.7), (0.9, 7.23)])
def test_macs_against_sparsity(sparsity, left):
    assert macs_left(72.3, sparsity) == pytest.approx(left, abs=0.051 if left > 10 else 0.0051)


def test_depthwise_is_a_convolution_in_as_many_groups_as_channels():
    shape = (32, 20, 30)
    for stride, padding in ((1, 0), (2, 1), (3, 2)):
        one, other = Depthwise(3, stride, padding), Convolution(32, 3, stride, padding, groups=32)
        assert network([one], shape).rows[0][1:] == network([other], shape).rows[0][1:]
    assert network([Depthwise(3, 1, 1)], shape).macs == 9 * 32 * 600


def loops(channels_in, channels, kernel, stride, groups, side):
    """Products of a convolution counted one by one."""
    steps = range(0, side - kernel + 1, stride)
    inputs = channels_in // groups
    return sum(1 for _ in range(channels) for _ in steps for _ in steps for _ in range(inputs * kernel * kernel))


@pytest.mark.parametrize("case", [(4, 6, 3, 1, 1, 8), (4, 6, 3, 2, 2, 9), (6, 6, 1, 1, 6, 5), (2, 4, 5, 3, 1, 11)])
def test_a_convolution_s_products_counted_one_by_one(case):
    channels_in, channels, kernel, stride, groups, side = case
    layer = Convolution(channels, kernel, stride, groups=groups)
    assert network([layer], (channels_in, side, side)).macs == loops(*case)


WRONG = [
    ([Linear(3), Pooling(2)], r"layer 1 \(Pooling\): it needs \(channels, height, width\), got \(3,\)"),
    ([Convolution(4, 30)], r"layer 0 \(Convolution\): a kernel of 30 does not fit into 8 x 8 with padding 0"),
    ([Convolution(4, 3, groups=4)], "4 groups must divide both the 3 channels in and the 4 out"),
]


@pytest.mark.parametrize(("layers", "message"), WRONG)
def test_a_layer_that_does_not_fit_is_named(layers, message):
    with pytest.raises(ValueError, match=message):
        network(layers, (3, 8, 8))


def test_energy_relations():
    unit = PICOJOULE["int32 add"]
    names = ("int32 add", "fp32 add", "int32 multiply", "fp32 multiply", "32-bit SRAM", "32-bit DRAM")
    assert [PICOJOULE[name] / unit for name in names] == pytest.approx([1, 9, 31, 37, 50, 6400])


def test_alexnet_moves_more_energy_than_it_computes():
    computed, moved = macs_j(ALEXNET.macs), read_j(ALEXNET.size_bytes(32))
    assert computed == pytest.approx(3.33e-3, rel=2e-3)
    assert moved == pytest.approx(39.0e-3, rel=1e-3)
    assert moved / computed == pytest.approx(11.7, abs=0.05)
    assert macs_j(1, "int8") == pytest.approx(0.3e-12)
