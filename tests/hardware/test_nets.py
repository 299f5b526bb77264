"""Reference networks: golden numbers, memory by a second way of finding what is live, and fast convolutions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuraltree.hardware.model.layer_network import Branches, network
from neuraltree.hardware.model.layers import Convolution, GlobalPooling, Linear, Pooling
from neuraltree.hardware.nets.__main__ import main
from neuraltree.hardware.nets.blocks import conv, squeeze_excite
from neuraltree.hardware.nets.fast_convolutions import direct, fast_products, fourier, winograd
from neuraltree.hardware.nets.reference_nets import NETS
from neuraltree.hardware.nets.structured_cut import can_be_cut, without_channels
from tests.helpers.strategies import steady

# Weights and MACs. LeNet-5: by hand; the others: computed by other programs.
GOLDEN = {
    "lenet-5": (150 + 2400 + 48_000 + 10_080 + 840, 150 * 784 + 2400 * 100 + 48_000 + 10_080 + 840),
    "squeezenet-1.0": (1_244_448, 818_924_576),
    "squeezenet-1.1": (1_231_552, 349_151_936),
    "mobilenet-v1": (4_209_088, 568_740_352),
    "mobilenet-v2": (3_469_760, 300_774_272),
    "resnet-18": (11_678_912, 1_814_073_344),
    "resnet-50": (25_502_912, 4_089_184_256),
    "vgg-16": (138_344_128, 15_470_264_320),
}
# Of another deck, whose baselines of training savings they are.
FEATURES = {"resnet-18": 11_166_912, "resnet-50": 23_454_912, "mobilenet-v2": 2_189_760}


@pytest.mark.parametrize("name", NETS)
def test_golden_sizes(name: str) -> None:
    counts = NETS[name].counts()
    assert (counts.parameters, counts.macs) == GOLDEN[name]
    if name in FEATURES:
        assert NETS[name].counts(classifier=False).parameters == FEATURES[name]
    assert counts.rows[-1].output == ((10,) if name == "lenet-5" else (1000,))


def test_peaks_by_hand() -> None:
    big, half = 112 * 112, 56 * 56
    # The first expansion of MobileNet v2 to 96 channels, read by a convolution of stride 2.
    assert NETS["mobilenet-v2"].counts().peak_activations == 96 * big + 96 * half
    # ResNet-50: the input of a block stays for its shortcut while 64 channels become 256.
    assert NETS["resnet-50"].counts().peak_activations == (256 + 64 + 256) * half
    assert NETS["resnet-18"].counts().peak_activations == 64 * big + 64 * half
    assert NETS["vgg-16"].counts().peak_activations == 2 * 64 * 224 * 224


def live_peak(layers, shape) -> int:
    """The peak by the last use of every tensor: operations in order, each with what it reads and what it makes."""
    steps: list[tuple[list[int], int | None]] = []
    sizes: list[int] = []

    def tensor(size: int) -> int:
        sizes.append(size)
        return len(sizes) - 1

    def walk(path, at, source):
        for layer in path:
            if isinstance(layer, Branches):
                ends = [walk(each, at, source) for each in layer.paths]
                steps.append(([end for end, _ in ends], None))  # a join in place
                at, source = ends[0][1], join([end for end, _ in ends], layer.join, source)
                continue
            at = layer.output(at)
            made = tensor(math.prod(at))
            steps.append(([source], made))
            source = made
        return source, at

    aliases: dict[int, list[int]] = {}

    def join(parts: list[int], how: str, source: int) -> int:
        """All of the parts if they are side by side; else the place of one that nothing else reads."""
        if how == "concat":
            alias = tensor(0)
            aliases[alias] = parts
            return alias
        return parts[0] if how == "scale" else next(part for part in parts if part != source)

    def whole(part: int) -> list[int]:
        return [leaf for each in aliases[part] for leaf in whole(each)] if part in aliases else [part]

    first = tensor(math.prod(shape))
    walk(layers, shape, first)
    reads = [[leaf for part in sources for leaf in whole(part)] for sources, _ in steps]
    last = {leaf: i for i, leaves in enumerate(reads) for leaf in leaves}
    live, peak = {first}, 0
    for i, (_, made) in enumerate(steps):
        live |= set() if made is None else {made}
        peak = max(peak, sum(sizes[each] for each in live))
        live = {each for each in live if last.get(each, -1) > i or each == made}
    return peak


convolutions = st.builds(conv, st.sampled_from([2, 4, 6]), st.sampled_from([1, 3]))


@st.composite
def residuals(draw):
    """Layers on four channels: convolutions, sums with and without a shortcut, and channels side by side."""
    layers = []
    for _ in range(draw(st.integers(1, 4))):
        path = (*draw(st.lists(convolutions, max_size=2)), conv(4, 3))
        other = draw(st.sampled_from([(), (conv(4, 1),), (conv(6, 1), conv(4, 1))]))
        side = (conv(2, 1),)
        layers += draw(
            st.sampled_from(
                [
                    path,
                    (Branches((path, other), "add"),),
                    (Branches(((Branches((path, other), "add"), conv(4, 1)), other), "add"),),
                    (Branches(((conv(4, 1), Branches((path, other), "add"), conv(4, 1)), ()), "add"),),
                    (Branches((side, side), "concat"),),
                ]
            )
        )
    return layers


@steady
@given(residuals())
def test_the_peak_is_that_of_the_last_uses(layers) -> None:
    assert network(layers, (4, 3, 3)).peak_activations == live_peak(layers, (4, 3, 3))


@pytest.mark.parametrize("name", NETS)
def test_the_peaks_of_the_networks_are_those_of_the_last_uses(name: str) -> None:
    net = NETS[name]
    assert net.counts().peak_activations == live_peak(net.layers(), net.input_shape)


def half_of_resnet_18() -> int:
    """Weights by hand: in each basic block the channels between its two convolutions are halved."""
    weights, inputs = 64 * 3 * 49 + 512 * 1000, 64
    for width in (64, 64, 128, 128, 256, 256, 512, 512):
        weights += (inputs + width) * (width // 2) * 9 + (inputs * width if inputs != width else 0)
        inputs = width
    return weights


def test_structured_pruning_leaves_out_channels_inside_residual_blocks() -> None:
    layers, shape = NETS["resnet-18"].layers(), NETS["resnet-18"].input_shape
    assert without_channels(layers, 0) == layers
    assert network(without_channels(layers, 0.5), shape).parameters == half_of_resnet_18()
    # All kernels inside a bottleneck: 1 x 1 in, 3 x 3, 1 x 1 out.
    blocks = (Branches(((conv(8, 1), conv(8, 3), conv(32, 1)), ()), "add"),)
    assert network(without_channels(blocks, 0.25), (32, 4, 4)).parameters == 32 * 6 + 6 * 6 * 9 + 6 * 32
    assert network(without_channels(blocks, 0.999), (32, 4, 4)).parameters == 32 + 9 + 32


def test_structured_pruning_needs_residual_blocks_and_a_share_below_one() -> None:
    assert [name for name in NETS if can_be_cut(NETS[name].layers())] == ["mobilenet-v2", "resnet-18", "resnet-50"]
    with pytest.raises(ValueError, match="no residual blocks"):
        without_channels(NETS["vgg-16"].layers(), 0.5)
    with pytest.raises(ValueError, match=r"at least 0 and below 1"):
        without_channels(NETS["resnet-18"].layers(), 1)


def test_squeeze_and_excitation_and_groups_by_hand() -> None:
    counts = network([*squeeze_excite(64, 16), Convolution(64, 3, padding=1, groups=8)], (64, 10, 10))
    assert [row.parameters for row in counts.rows] == [0, 64 * 4, 4 * 64, 0, 64 * 8 * 9]
    assert [row.macs for row in counts.rows] == [0, 256, 256, 6400, 64 * 8 * 9 * 100]
    assert [row.in_out for row in counts.rows] == [6400 + 64, 6400 + 64 + 4, 6400 + 4 + 64, 6400 + 64, 2 * 6400]


def test_pooling_with_a_window_beyond_the_edge() -> None:
    assert [Pooling(3, 2, ceil=ceil).output((1, 54, 54))[1] for ceil in (False, True)] == [26, 27]
    assert [Pooling(3, 2, ceil=ceil).output((1, 55, 55))[1] for ceil in (False, True)] == [27, 27]


WRONG = [
    (Branches(((conv(3, 1),), ()), "add"), r"layer 0 \(Branches\): only results of one shape are added"),
    (Branches(((conv(3, 1, 2),), ()), "concat"), "only results of one height and width are joined"),
    (Branches(((), (GlobalPooling(), Linear(3))), "scale"), "scaled by a number for each channel"),
    (Branches(((Pooling(9),), ()), "add"), r"layer 0 \(Branches\): layer 0 \(Pooling\): a kernel of 9 does not fit"),
]


@pytest.mark.parametrize(("layer", "message"), WRONG)
def test_branches_that_do_not_fit_are_named(layer: Branches, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network([layer], (4, 5, 5))


# Winograd's matrices, which compute results of a convolution from (m + 2)² products: Lavin and Gray 2016.
DATA = {
    2: [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]],
    4: [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1]],
}  # fmt: skip
WEIGHTS = {
    2: [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]],
    4: [[1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6], [0, 0, 1]],
}  # fmt: skip
RESULTS = {
    2: [[1, 1, 1, 0], [0, 1, -1, -1]],
    4: [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]],
}


@pytest.mark.parametrize("tile", [2, 4])
def test_winograd_s_products_compute_a_convolution(tile: int) -> None:
    rng = np.random.default_rng(0)
    image, kernel = rng.normal(size=(tile + 2, tile + 2)), rng.normal(size=(3, 3))
    data, weights, results = (np.array(part[tile]) for part in (DATA, WEIGHTS, RESULTS))
    products = (data @ image @ data.T) * (weights @ kernel @ weights.T)
    wanted = [[(image[i : i + 3, j : j + 3] * kernel).sum() for j in range(tile)] for i in range(tile)]
    np.testing.assert_allclose(results @ products @ results.T, wanted)
    one = winograd(Convolution(1, 3), (1, tile + 2, tile + 2), tile)
    assert one.products == products.size
    assert direct(Convolution(1, 3), (1, tile + 2, tile + 2)).products == 9 * tile**2


def test_golden_operations() -> None:
    layer, shape = conv(64, 3), (32, 56, 56)
    f2, f4, plain = winograd(layer, shape, 2), winograd(layer, shape, 4), direct(layer, shape)
    assert plain.products == 9 * 32 * 64 * 56 * 56
    assert plain.products / f2.products == 2.25
    assert plain.products / f4.products == 4
    assert f2.transform_flop == 28 * 28 * (32 * 32 + 64 * 24)  # 32 and 24 FLOP a tile of a channel
    assert f4.transform_flop == 14 * 14 * (32 * 156 + 64 * 100)
    assert winograd(layer, (32, 57, 57), 4).products == 32 * 64 * 15 * 15 * 36
    points = 58 * 58
    found = fourier(layer, shape)
    assert found.products == 2 * points * 32 * 64
    assert found.transform_flop == pytest.approx(5 * points * math.log2(points) * 96)


def test_products_of_a_network_by_winograd() -> None:
    """VGG-16 has nothing but such convolutions, (inputs, outputs, side) each, and three linear layers."""
    layers = [(3, 64, 224), (64, 64, 224), (64, 128, 112), (128, 128, 112), (128, 256, 56), *[(256, 256, 56)] * 2]
    layers += [(256, 512, 28), *[(512, 512, 28)] * 2, *[(512, 512, 14)] * 3]
    wanted = sum(a * b * math.ceil(side / 4) ** 2 * 36 for a, b, side in layers)
    assert fast_products(NETS["vgg-16"].counts()) == wanted + 25088 * 4096 + 4096 * 4096 + 4096 * 1000
    assert fast_products(NETS["mobilenet-v1"].counts()) == NETS["mobilenet-v1"].counts().macs
    small = network([conv(4, 3, 2), conv(4, 3), conv(4, 5)], (1, 8, 8))
    assert fast_products(small, 2) == 16 * 4 * 9 + 4 * 4 * 4 * 16 + 16 * 16 * 25


def test_transforms_pay_from_some_size_of_the_kernel_on() -> None:
    shape = (8, 28, 28)
    pays = {k: fourier(conv(8, k), shape).flop < direct(conv(8, k), shape).flop for k in (1, 3, 11)}
    assert pays == {1: False, 3: False, 11: True}


@pytest.mark.parametrize("layer", [conv(4, 3, 2), conv(4, 5), conv(4, 3, groups=2)])
def test_winograd_refuses_other_convolutions(layer: Convolution) -> None:
    with pytest.raises(ValueError, match="a kernel of 3, a stride of 1 and one group"):
        winograd(layer, (4, 8, 8), 2)


def test_what_has_no_fast_form_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no tile 3; there are 2, 4"):
        winograd(conv(4, 3), (4, 8, 8), 3)
    with pytest.raises(ValueError, match="a stride of 1 and one group"):
        fourier(conv(4, 3, 2), (4, 8, 8))


def test_the_command_prints_sizes_and_draws_memory(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert "2,189,760" in shown
    assert "15,470,264,320" in shown
    assert main(["--cut", "resnet-18"]) == 0
    assert "11,678,912" in (shown := capsys.readouterr().out)
    assert f"{half_of_resnet_18():,}" in shown
    path = tmp_path / "memory.png"
    assert main(["--memory", "mobilenet-v2", "--picture", str(path)]) == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()
    assert main(["--memory", "mobilenet-v2"]) == 2
    assert "name both a network and a file" in capsys.readouterr().err
    assert main(["--memory", "lenet-5", "--picture", str(tmp_path / "none" / "a.png")]) == 2
