"""That the compared steps do the same, at small sizes, and that a difference would be seen."""

import importlib
import importlib.util

import numpy as np
import pytest
from side_by_side import in_jaxgan, in_linen, reference
from side_by_side.agreement import Mismatch, compare
from side_by_side.in_jax import layer_name
from side_by_side.steps import BATCHES, CHECKED_STEPS, IMPLEMENTATIONS, STEPS, implementations_of
from small_steps import SIZES

HAS_TORCH = importlib.util.find_spec("torch") is not None
# What torch.compile makes of a step is checked whenever the benchmark runs; it takes a minute.
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
    if name in implementations_of(step)
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
    if precision == "float32":
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
