"""Metrics of a model itself: what they are of trained states whose answers are known."""

import dataclasses
import functools
import math
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny
from jax.tree_util import Partial
from scipy import stats

from jaxgan.config import ConfigError, Evaluation
from jaxgan.data.pipeline import Data
from jaxgan.data.source import ArraySplit, Field, Info
from jaxgan.data.sources.triangles import Triangles
from jaxgan.evaluation import model_metrics
from jaxgan.evaluation.disentanglement import scores
from jaxgan.evaluation.likelihood.annealed import Annealing
from jaxgan.evaluation.likelihood.weights import log_likelihood_of
from jaxgan.evaluation.manifolds.triangle_images import coverage, project
from jaxgan.evaluation.protocol import parse
from jaxgan.measurement import available, held_out
from jaxgan.objectives.priors import Normal, Uniform
from jaxgan.program import compile_program, example_batch
from jaxgan.visualization.report.columns import COLUMNS

TRIANGLES = Data(source=Triangles(), image_size=28)


@dataclasses.dataclass(frozen=True)
class Squares:
    """White 2x2 squares on black 8x8 images, at 4 heights and 4 sides: factors known."""

    factor_sizes = (4, 4)

    def info(self):
        counts = {"train": 16, "test": 16}
        return Info("squares", (8, 8, 1), 1, "uint8", 1, counts, frozenset({"factors"}))

    def load(self, split):
        factors = np.stack(np.unravel_index(np.arange(16), self.factor_sizes), axis=1)
        return ArraySplit(self.images(factors), np.zeros(16, np.int32))

    def images(self, factors):
        images = np.zeros((len(factors), 8, 8, 1), np.uint8)
        for image, (height, side) in zip(images, factors, strict=True):
            image[2 * height : 2 * height + 2, 2 * side : 2 * side + 2] = 255
        return images


SQUARES = Data(source=Squares())


def made(experiment):
    program = compile_program(experiment, "none")
    return program, program.init(0, example_batch(experiment))


def measure(experiment, program, state, *names, draws=16):
    available.check(names, experiment, program.algorithm)
    found = held_out.measure(program, state, experiment, "test", names, draws, lambda line: None)
    return {name: value for name, (value, _) in found.items()}


def test_a_coin_for_every_pixel_has_one_bit_a_pixel():
    # All weights 0: logits are 0 whatever the code, and the posterior is the prior.
    experiment = tiny.vae(data=SQUARES)
    program, state = made(experiment)
    state = state.replace(ema=jax.tree.map(jnp.zeros_like, state.ema))
    found = measure(experiment, program, state, "likelihood")
    assert found["likelihood[test16,ema,draws=16,likelihood=Bernoulli]"].value == pytest.approx(
        -64 * math.log(2)
    )
    assert found["bits_per_dim[test16,ema,draws=16,likelihood=Bernoulli]"].value == pytest.approx(
        1.0
    )


@pytest.mark.slow
def test_models_without_a_gaussian_posterior_are_measured_by_their_weights():
    experiment = tiny.vae(data=SQUARES)
    program, state = made(experiment)
    blind = program._replace(posterior=None)
    plain, by_weights = (
        measure(experiment, one, state, "likelihood", draws=4096) for one in (program, blind)
    )
    assert plain.keys() == by_weights.keys()
    name = "likelihood[test16,ema,draws=4096,likelihood=Bernoulli]"
    # Other draws of the same weights.
    assert by_weights[name].value == pytest.approx(plain[name].value, abs=0.05)
    assert by_weights[name].value != plain[name].value
    zeros = state.replace(ema=jax.tree.map(jnp.zeros_like, state.ema))
    (found,) = (
        value.value
        for name, value in measure(experiment, blind, zeros, "likelihood", draws=4).items()
        if name.startswith("likelihood[")
    )
    assert found == pytest.approx(-64 * math.log(2))


def test_chains_and_importance_sampling_tell_the_same_of_a_vae():
    experiment, lines = tiny.vae(data=SQUARES), []
    program, state = made(experiment)
    available.check(["ais"], experiment, program.algorithm)
    found = held_out.measure(
        program, state, experiment, "test", ["ais"], 1, lines.append,
        annealing=Annealing(chains=8, temperatures=20, leapfrog=4, images=6, simulated=5),
    )  # fmt: skip
    assert lines[-2:] == [
        "ais: images 1 to 6, temperature 20 of 20", "ais: 5 images of the model, both ways"
    ]  # fmt: skip
    batch, _ = next(held_out.held_out_batches(experiment.data, "test", 6))
    expected = log_likelihood_of(
        [batch], posterior=functools.partial(program.posterior, state), log_weights=None,
        log_likelihood=functools.partial(program.log_likelihood, state), samples=4000,
    ).mean()  # fmt: skip
    value, _ = found["ais[test6,ema,draws=8,likelihood=Bernoulli,nfe=120]"]
    assert value.value == pytest.approx(expected, abs=0.5)
    between, _ = found["ais_gap[test6,ema,draws=8,likelihood=Bernoulli,nfe=120]"]
    assert -0.5 < between.value < 2.0


def test_chains_tell_the_likelihood_of_a_gan_with_noise():
    """All weights 0: every image is gray, whatever the latent, and the noise is all there is."""
    experiment = tiny.gan(data=SQUARES)
    program, state = made(experiment)
    state = state.replace(ema=jax.tree.map(jnp.zeros_like, state.ema))
    how = Annealing(chains=2, temperatures=3, leapfrog=2, images=5, simulated=4, scale=0.5)
    found = held_out.measure(
        program, state, experiment, "test", ["ais"], 1, lambda line: None, annealing=how
    )
    value, protocol = found["ais[test5,ema,draws=2,likelihood=Gaussian(0.5),nfe=12]"]
    # All pixels are black or white, and half a step from gray.
    assert value.value == pytest.approx(64 * stats.norm(0.5, 0.5).logpdf(1.0), rel=1e-5)
    assert protocol.real_count == 5
    # Whatever the code, an image is as likely: both bounds are exact.
    between, _ = found["ais_gap[test5,ema,draws=2,likelihood=Gaussian(0.5),nfe=12]"]
    assert between.value == pytest.approx(0.0, abs=1e-3)


def test_gray_images_have_no_bits():
    experiment = tiny.vae(evaluation=Evaluation(samples=100, batch_size=300))
    program, state = made(experiment)
    names = measure(experiment, program, state, "likelihood", draws=2)
    assert "likelihood[test297,ema,draws=2,likelihood=Bernoulli]" in names
    assert not any(name.startswith("bits_per_dim") for name in names)


def places(state, batch):
    """Height and side of each square, in one code each."""
    del state
    image = jnp.asarray(batch["image"])[..., 0] > 0
    places = jnp.stack([jnp.argmax(image.any(axis), axis=1) for axis in (2, 1)], axis=1)
    return places.astype(jnp.float32)


@pytest.mark.slow
def test_codes_that_are_the_factors_are_disentangled():
    experiment = tiny.vae(data=SQUARES)
    program, state = made(experiment)
    found = measure(experiment, program._replace(codes=places), state, "disentanglement")
    brackets = "[factors15000,ema,likelihood=Bernoulli]"
    for name in ("mig", "beta_vae_metric", "factor_vae_metric", "dci_disentanglement"):
        # Drawn factors are not quite independent: of the gap, some 1e-4 are lost.
        assert found[name + brackets].value == pytest.approx(1.0, abs=1e-3)

    def turned(state, batch):
        # Both factors in both codes: (h + s, h - s) tells each of them half.
        return places(state, batch) @ jnp.array([[1.0, 1.0], [1.0, -1.0]])

    mixed = measure(experiment, program._replace(codes=turned), state, "disentanglement")
    assert mixed["mig" + brackets].value < 0.05
    assert mixed["dci_disentanglement" + brackets].value < 0.3


@pytest.fixture
def few(monkeypatch):
    """A manifold measured on few images."""
    monkeypatch.setattr(model_metrics, "RECALLED", 6)
    monkeypatch.setattr(model_metrics, "ON_MANIFOLD", 12)


def triangle(latent):
    """The triangle whose corners are where a latent says."""
    corners, valid = project(28.0 * jax.nn.sigmoid(latent).reshape(3, 2))
    return jnp.where(valid, coverage(corners), 0.0)[..., None]


def disc(latent):
    """A disc, whatever the latent; 5 away from any triangle."""
    y, x = jnp.mgrid[:28, :28]
    return jnp.where((y - 14) ** 2 + (x - 14) ** 2 < 64, 1.0, 0.0)[..., None] + 0.0 * latent[0]


@pytest.mark.slow
def test_a_generator_of_triangles_is_on_the_manifold_and_one_of_discs_is_not(few):
    experiment = tiny.gan(data=TRIANGLES, evaluation=Evaluation(batch_size=64))
    experiment = dataclasses.replace(
        experiment, model=dataclasses.replace(experiment.model, prior=Normal(6))
    )
    program, state = made(experiment)

    def found(draw):
        def pixels(state, latents):
            del state
            return jax.vmap(draw)(latents)

        def generate(state, latents):
            return jnp.round(255 * pixels(state, latents)).astype(jnp.uint8)

        generation = program.algorithm.generation._replace(pixels=pixels)
        algorithm = program.algorithm._replace(generation=generation)
        changed = program._replace(algorithm=algorithm, generate=generate)
        values = measure(experiment, changed, state, "manifold")
        (brackets,) = {name.partition("[")[2] for name in values if name.startswith("manifold")}
        assert parse(f"manifold_f1[{brackets}").fields["sample_count"] == 12
        assert brackets == "test6,gen12,q8,ema]"
        return {name: values[f"manifold_{name}[{brackets}"] for name in ("precision", "recall")}

    good, bad = found(triangle), found(disc)
    assert good["precision"].value > 0.9
    assert good["recall"].value > 0.5
    assert (bad["precision"].value, bad["recall"].value) == (0.0, 0.0)


def test_pixels_are_what_is_generated_before_rounding():
    for experiment in (tiny.gan(), tiny.dcgan(), tiny.vae()):
        program, state = made(experiment)
        latents = program.prior(jax.random.key(0), 5)
        pixels = program.algorithm.generation.pixels(state, latents)
        generated = np.asarray(program.generate(state, latents))
        np.testing.assert_array_equal(np.round(255 * np.asarray(pixels)), generated)
        assert pixels.dtype == jnp.float32


def test_latents_are_brought_back_to_the_prior():
    normal = tiny.gan()
    uniform = dataclasses.replace(normal, model=dataclasses.replace(normal.model, prior=Uniform(3)))
    far = jnp.array([[-3.0, 0.5, 1.5]])
    same, back = (made(one)[0].algorithm.generation.project for one in (normal, uniform))
    np.testing.assert_array_equal(same(far), far)  # a normal prior has some everywhere
    np.testing.assert_array_equal(back(far), [[-1.0, 0.5, 1.0]])


@pytest.mark.parametrize(
    ("experiment", "name", "message"),
    [
        (tiny.gan(), "likelihood", "likelihood needs an encoder and a likelihood, and this"),
        (tiny.gan(data=SQUARES), "disentanglement", "disentanglement needs an encoder"),
        (tiny.vae(), "disentanglement", "needs a data set whose factors .* such as sprites"),
        (
            tiny.vae(data=Data(source=Squares(), image_size=16, resize="pad")),
            "disentanglement",
            "needs images as they are drawn, 8x8x1: leave out --data.resize",
        ),
        (tiny.vae(), "manifold", "manifold needs a data set whose manifold is known: triangles"),
        (
            tiny.vae(data=Data(source=Triangles(), image_size=32, resize="pad")),
            "manifold",
            "needs images as they are drawn, 28x28x1: leave out --data.resize",
        ),
        (
            tiny.vae(data=TRIANGLES, evaluation=Evaluation(truncation=0.5)),
            "manifold",
            "all that the model can generate.*: leave truncation at 1",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused(experiment, name, message):
    program = compile_program(experiment, "none")
    with pytest.raises(ConfigError, match=message):
        available.check([name], experiment, program.algorithm)


def test_names_of_results_are_those_of_the_functions():
    assert model_metrics.MODEL_METRICS["disentanglement"].gives == scores.NAMES
    known = {column.name for column in COLUMNS}
    for metric in model_metrics.MODEL_METRICS.values():
        assert set(metric.gives) <= known


def test_weights_are_part_of_what_is_inverted():
    # Were the state hidden in a closure, the next state would be inverted with a new compilation.
    experiment = tiny.gan()
    program, state = made(experiment)
    model = held_out.model_of(program, state, experiment, (), 1)
    assert isinstance(model.pixels, Partial)
    assert jax.tree.leaves(model.pixels)


@dataclasses.dataclass(frozen=True)
class Described:
    """Images with a class and four words each."""

    fields: ClassVar = {
        "image": Field("image"), "label": Field("label"),
        "words": Field("tokens", length=4, classes=50),
    }  # fmt: skip

    def info(self):
        return Info("described", (8, 8, 1), 1, "uint8", 3, {"train": 20, "test": 20})

    def load(self, split):
        return [
            {
                "image": np.full((8, 8, 1), place, np.uint8),
                "label": place % 3,
                "words": np.arange(place, place + 4),
            }
            for place in range(20)
        ]


def seen_by_evaluate(data, size):
    """Batches and keys that the algorithm's ``evaluate`` is given."""
    experiment = tiny.vae(data=data, evaluation=Evaluation(samples=10, batch_size=size))
    program, state = made(tiny.vae())
    found = []

    def evaluate(state, batch, key):
        found.append((batch, jax.random.key_data(key).tolist()))
        return {}

    spied = program._replace(evaluate=evaluate)
    held_out.measure(spied, state, experiment, "test", (), 1, lambda line: None)
    return found


@pytest.mark.parametrize("streaming", ["never", "always"])
def test_held_out_batches_have_every_field_and_keys_of_their_own(streaming):
    found = seen_by_evaluate(Data(source=Described(), streaming=streaming), 8)
    assert len(found) == 3
    for batch, _ in found:
        assert set(batch) == {"image", "label", "words", "mask"}
        assert batch["words"].shape == (8, 4)
    whole = {name: np.concatenate([batch[name] for batch, _ in found]) for name in found[0][0]}
    assert whole["mask"].tolist() == [1.0] * 20 + [0.0] * 4
    assert whole["label"][:20].tolist() == [place % 3 for place in range(20)]
    np.testing.assert_array_equal(
        whole["words"][:20], np.arange(20)[:, None] + np.arange(4)[None, :]
    )
    assert len({tuple(key) for _, key in found}) == 3
    # The same keys every time: two models are measured alike.
    again = seen_by_evaluate(Data(source=Described(), streaming=streaming), 8)
    assert [key for _, key in again] == [key for _, key in found]


def test_sigma_is_the_largest_of_all_weights_of_a_player():
    """Of the averaged generator, and of the discriminator, which has no average."""
    experiment = tiny.gan(data=SQUARES)
    program, state = made(experiment)
    state = state.replace(ema=jax.tree.map(lambda leaf: 3.0 * leaf, state.ema))
    found = measure(experiment, program, state, "sigma")
    for player in ("generator", "discriminator"):
        kernels = jax.tree.leaves(state.evaluated(player)["params"])
        largest = max(np.linalg.norm(one, 2) for one in kernels if one.ndim == 2)
        assert len([one for one in kernels if one.ndim == 2]) > 1
        assert found[f"sigma_{player}[test16,ema]"].value == pytest.approx(largest, rel=1e-5)
