"""That the compared steps do the same, at small sizes, and that a difference would be seen."""

import importlib
import importlib.util

import numpy as np
import pytest
from side_by_side import in_jaxgan, in_linen, reference
from side_by_side.agreement import Mismatch, compare
from side_by_side.in_jax import layer_name
from side_by_side.steps import (
    BATCHES,
    CHECKED_STEPS,
    FITTED,
    IMPLEMENTATIONS,
    STEPS,
    implementations_of,
)
from small_steps import SIZES

HAS_TORCH = importlib.util.find_spec("torch") is not None
# The rest is checked whenever the benchmark runs: what torch.compile makes of a step, which takes a
# minute, and the other forms of generators, which take nearly as long.
OTHERS = [
    name
    for name in IMPLEMENTATIONS
    if name == "linen" or (HAS_TORCH and name in ("torch_eager", "torch_channels_last"))
]
# The others compile longer.
QUICK = [("mlp_vae", "float32")]
PAIRS = [
    pytest.param(
        step, name, precision, marks=() if (step, precision) in QUICK else pytest.mark.slow
    )
    for step in STEPS
    for precision in ("float32", "bfloat16")
    for name in OTHERS
    if name in implementations_of(step) and (step not in FITTED or precision == "float32")
]


def build_other(name, step, precision, path):
    if name == "linen":
        return in_linen.build(step, SIZES[step], precision, path)
    in_torch = importlib.import_module("side_by_side.in_torch")
    return in_torch.build(step, SIZES[step], precision, path, name)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Bench, facts and reference file of jaxgan, made once a step and precision."""
    folder, known = tmp_path_factory.mktemp("references"), {}

    def make(step, precision):
        if (step, precision) not in known:
            path = folder / f"{step}-{precision}.npz"
            bench = in_jaxgan.build(step, SIZES[step], precision, path)
            known[step, precision] = bench, bench.facts(), path
        return known[step, precision]

    return make


@pytest.mark.slow
@pytest.mark.parametrize(("step", "name", "precision"), PAIRS)
def test_the_others_do_what_jaxgan_does(step, name, precision, made):
    bench, facts, path = made(step, precision)
    other = build_other(name, step, precision, path)
    compare(step, precision, name, facts, other.facts())
    if precision == "float32" and step not in FITTED:
        other.run(2)
        bench.run(2)


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize(
    ("parameter", "change"),
    [
        ("generator/ConvTranspose_0/kernel", lambda kernel: kernel[::-1, ::-1]),
        # In a layer before batch norm a factor would make no difference.
        ("discriminator/head/kernel", lambda kernel: 1.5 * kernel),
    ],
)
def test_other_weights_are_seen(name, parameter, change, made, tmp_path):
    _, facts, path = made("dcgan", "float32")
    known = reference.read(path)
    parameters = {**known.parameters, parameter: change(known.parameters[parameter])}
    reference.write(tmp_path / "changed.npz", known._replace(parameters=parameters))
    other = build_other(name, "dcgan", "float32", tmp_path / "changed.npz")
    with pytest.raises(Mismatch, match=f"dcgan in float32: {name}"):
        compare("dcgan", "float32", name, facts, other.facts())


@pytest.mark.slow
def test_the_first_loss_of_a_gan_follows_from_the_reference_alone(made):
    # The critic is a stack of layers whose outputs NumPy can compute from the file.
    _, facts, path = made("mlp_gan", "float32")
    known = reference.read(path)

    def dense(values, name):
        weights = known.parameters
        return values @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    def logits(images):
        values = images.reshape(len(images), -1)
        for layer in ("Dense_0", "Dense_1"):
            values = dense(values, f"discriminator/{layer}")
            values = np.where(values > 0, values, 0.2 * values)
        return dense(values, "discriminator/head")[:, 0]

    values = known.latents[0]
    for layer in ("Dense_0", "Dense_1"):
        values = np.maximum(dense(values, f"generator/{layer}"), 0.0)
    fake = np.tanh(dense(values, "generator/pixels"))
    real = known.images[0] / 127.5 - 1.0
    loss = np.mean(np.logaddexp(0.0, -logits(real)) + np.logaddexp(0.0, logits(fake)))
    assert facts["losses"][0]["discriminator"] == pytest.approx(loss, rel=1e-5)


@pytest.mark.slow
def test_the_first_loss_of_stylegan2_follows_from_the_reference_alone(made):
    # The weights of each example are made, and every pixel leaves its kernel behind, in loops.
    _, facts, path = made("stylegan2", "float32")
    known = reference.read(path)
    weights = {**known.parameters, **known.carried}

    def of(layer, name):
        return weights[f"generator/{layer}/{name}"].astype(np.float64)

    def style(layer, w):
        kernel = of(f"{layer}/style", "kernel")
        return w @ kernel / np.sqrt(len(kernel)) + of(f"{layer}/style", "bias")

    def correlated(image, kernel):
        """Pixels ``(height, width, in)`` with zeros around them, and taps ``(k, k, in, out)``."""
        rows, columns = (n - len(kernel) + 1 for n in image.shape[:2])
        return sum(
            image[y : y + rows, x : x + columns] @ kernel[y, x]
            for y, x in np.ndindex(kernel.shape[:2])
        )

    def filtered(image, before, behind):
        taps = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64.0
        padded = np.pad(image, ((before, behind), (before, behind), (0, 0)))
        return correlated(padded, taps[..., None, None] * np.eye(image.shape[-1]))

    def styled(layer, image, w, up):
        kernel = of(layer, "kernel") * style(layer, w)[:, None]
        kernel = kernel / np.sqrt(np.sum(kernel**2, axis=(0, 1, 2)) + 1e-8)
        if up:
            side = len(image)
            spread = np.zeros((2 * side + 1, 2 * side + 1, kernel.shape[-1]))
            for y, x in np.ndindex(side, side):
                spread[2 * y : 2 * y + 3, 2 * x : 2 * x + 3] += image[y, x] @ kernel
            image = 4.0 * filtered(spread, 1, 1)
        else:
            image = correlated(np.pad(image, ((1, 1), (1, 1), (0, 0))), kernel)
        image = image + of(layer, "noise_strength") * of(layer, "constant")[..., None]
        image = image + of(layer, "bias")
        return np.sqrt(2.0) * np.where(image > 0, image, 0.2 * image)

    def generated(w):
        values, image = weights["generator/constant"].astype(np.float64), 0.0
        for level in (4, 8, 16):
            if level > 4:
                values = styled(f"up_{level}", values, w, True)
                apart = np.zeros((level, level, image.shape[-1]))
                apart[::2, ::2] = image
                image = 4.0 * filtered(apart, 2, 1)
            values = styled(f"conv_{level}", values, w, False)
            layer = f"image_{level}"
            kernel = (
                of(layer, "kernel")[0, 0] * style(layer, w)[:, None] / np.sqrt(len(values[0, 0]))
            )
            image = image + values @ kernel + of(layer, "bias")
        return image

    targets = known.images[0] / 127.5 - 1.0
    fake = np.stack([generated(w.astype(np.float64)) for w in known.latents[0]])
    assert facts["losses"][0]["generator"] == pytest.approx(
        np.mean((fake - targets) ** 2), rel=1e-5
    )


@pytest.mark.slow
def test_operations_of_generators_layers_by_hand(made):
    # 3 images of 16 pixels a side; StyleGAN2's of width 4 from 5 mapped latents.
    layers = made("stylegan2", "float32")[0].layers
    assert layers["generator/up_16"] == 2 * 3 * (8 * 8 * 4) * 9 * 4
    assert layers["generator/conv_16"] == 2 * 3 * (16 * 16 * 4) * 9 * 4
    assert layers["generator/image_16"] == 2 * 3 * (16 * 16 * 2) * 4
    assert layers["generator/up_16/style"] == 2 * 3 * 5 * 4
    # BigGAN's of width 16; 2 of 6 latents and the class's 128 numbers go into a block.
    layers = made("biggan", "float32")[0].layers
    assert layers["generator/Dense_0"] == 2 * 3 * 2 * (4 * 4 * 16)
    assert layers["generator/UpBlock_1/first"] == 2 * 3 * (16 * 16 * 16) * 9 * 16
    assert layers["generator/ModulatedBatchNorm_0/scale"] == 2 * 3 * (128 + 2) * 16
    assert layers["generator/SelfAttention_0"] == 2 * 3 * 64 * 16 * (2 + 8)


@pytest.mark.slow
def test_operations_of_layers_by_hand(made):
    bench, _, _ = made("dcgan", "float32")
    # 4 images of 16 pixels a side, 2 channels, width 4: 8 pixels of 4 channels, 4 of 8.
    assert bench.layers == {
        "generator/Dense_0": 2 * 4 * 5 * (4 * 4 * 8),
        "generator/ConvTranspose_0": 2 * 4 * (4 * 4 * 8) * (4 * 4) * 4,
        "generator/ConvTranspose_1": 2 * 4 * (8 * 8 * 4) * (4 * 4) * 2,
        "discriminator/Conv_0": 2 * 4 * (8 * 8 * 4) * (4 * 4) * 2,
        "discriminator/Conv_1": 2 * 4 * (4 * 4 * 8) * (4 * 4) * 4,
        "discriminator/head": 2 * 4 * (4 * 4 * 8),
    }


def test_parameters_are_counted(made):
    bench, _, _ = made("mlp_vae", "float32")
    encoder = 36 * 20 + 20 + 20 * 16 + 16 + 2 * (16 * 5 + 5)
    decoder = 5 * 20 + 20 + 20 * 16 + 16 + 16 * 36 + 36
    assert bench.parameters == encoder + decoder


@pytest.mark.slow
def test_the_reference_has_what_the_steps_need(made):
    _, _, path = made("dcgan", "float32")
    known = reference.read(path)
    assert known.images.shape == (BATCHES, 4, 16, 16, 2)
    assert known.images.dtype == np.uint8
    assert not np.array_equal(known.images, known.fakes)
    assert known.latents.shape == (CHECKED_STEPS, 4, 5)
    assert known.shares.shape == (CHECKED_STEPS, 4)
    assert ((known.shares > 0) & (known.shares < 1)).all()
    assert not np.array_equal(known.latents[0], known.latents[1])


def test_layer_names_leave_out_idle_scopes():
    path = ("encoder", "GaussianHead_0", "mean")
    assert layer_name(path) == "encoder/mean"
    assert layer_name(("generator", "UpPyramid_0", "Dense_0")) == "generator/Dense_0"
