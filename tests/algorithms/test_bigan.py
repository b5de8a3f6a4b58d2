"""A bidirectional GAN of linear networks: losses, signs and evaluation by hand."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny
from scipy.special import expit

from jaxgan.algorithms.base import build
from jaxgan.algorithms.bigan import BiGan
from jaxgan.config import ConfigError
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.gaussians import Ring
from jaxgan.measurement import available
from jaxgan.networks.bidirectional import MlpCoder, PairMlpDiscriminator
from jaxgan.networks.mlp import MlpEncoder, MlpGenerator
from jaxgan.objectives.gan.losses import LeastSquares, NonSaturating, Wasserstein
from jaxgan.objectives.priors import Labelled, Normal, Uniform
from jaxgan.optim import Ema, Sgd
from jaxgan.program import example_batch

ROWS, SIZE, RATE = 5, 3, 0.1
NORMAL = nn.initializers.normal(0.7)
KEPT = {}


class Maker(nn.Module):
    """``z W``, which shows its latents."""

    @nn.compact
    def __call__(self, latent, *, image_shape, train, axis_name=None):
        weight = self.param("w", NORMAL, (latent.shape[-1], 2))
        if train:
            jax.debug.callback(lambda z: KEPT.__setitem__("latent", np.asarray(z)), latent)
        return (latent @ weight).reshape(-1, *image_shape)


class Coder(nn.Module):
    """``x V``."""

    @nn.compact
    def __call__(self, images, *, latent_size, train, axis_name=None):
        return images.reshape(images.shape[0], -1) @ self.param("v", NORMAL, (2, latent_size))


class Judge(nn.Module):
    """``x a + z b + c``."""

    @nn.compact
    def __call__(self, images, codes, *, train, axis_name=None):
        a, b = self.param("a", NORMAL, (2,)), self.param("b", NORMAL, (codes.shape[-1],))
        c = self.param("c", NORMAL, ())
        return images.reshape(images.shape[0], -1) @ a + codes @ b + c


def experiment_of(loss):
    model = BiGan(
        Maker(), Coder(), Judge(), loss=loss, prior=Normal(SIZE),
        generator_optimizer=Sgd(RATE), discriminator_optimizer=Sgd(RATE),
        ema=Ema(0.5, warmup=False),
    )  # fmt: skip
    data = Data(source=Ring(), image_size=1, channels=2)
    return tiny.gan(model=model, data=data, batch_size=ROWS)


@functools.cache
def stepped(loss):
    """State before and after a step, metrics, and what went in."""
    experiment = experiment_of(loss)
    algorithm = build(experiment)
    state = algorithm.init(jax.random.key(0), example_batch(experiment))
    images = np.random.default_rng(1).normal(size=(ROWS, 1, 1, 2)).astype(np.float32)
    step = jax.jit(algorithm.phases[0].train_step)
    after, metrics = step(state, {"image": images}, jax.random.key(2))
    jax.effects_barrier()
    return jax.device_get((state, after, metrics)), images.reshape(ROWS, 2), KEPT["latent"]


# Derivatives of the discriminator's loss by the real and by the fake logit.
SLOPES = {
    NonSaturating(): (lambda r: -expit(-r), lambda f: expit(f)),
    Wasserstein(): (lambda r: -np.ones_like(r), lambda f: np.ones_like(f)),
    LeastSquares(): (lambda r: r - 1.0, lambda f: f),
}


@pytest.mark.parametrize("loss", SLOPES, ids=lambda loss: type(loss).__name__)
def test_a_step_by_hand(loss):
    """The discriminator tells pairs apart; then the other two undo it, with the labels exchanged.

    With updated weights the generator moves its images, and the encoder its codes, towards where
    the discriminator takes generated pairs for real ones and real ones for generated.
    """
    (before, after, metrics), x, z = stepped(loss)
    of_real, of_fake = SLOPES[loss]
    d = {n: np.asarray(v, np.float64) for n, v in before.players["discriminator"].params.items()}
    w = np.asarray(before.players["generator"].params["w"], np.float64)
    v = np.asarray(before.players["encoder"].params["v"], np.float64)
    fake, codes = z @ w, x @ v
    real_logits = x @ d["a"] + codes @ d["b"] + d["c"]
    fake_logits = fake @ d["a"] + z @ d["b"] + d["c"]
    r, f = of_real(real_logits) / ROWS, of_fake(fake_logits) / ROWS
    slopes = {"a": r @ x + f @ fake, "b": r @ codes + f @ z, "c": r.sum() + f.sum()}
    for name, slope in slopes.items():
        d[name] = d[name] - RATE * slope
        found = after.players["discriminator"].params[name]
        np.testing.assert_allclose(found, d[name], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(metrics["logits/real"], real_logits.mean(), rtol=1e-4)
    np.testing.assert_allclose(metrics["logits/fake"], fake_logits.mean(), rtol=1e-4)
    # Exchanged: a generated pair counts as real, a real pair as generated.
    real_logits = x @ d["a"] + codes @ d["b"] + d["c"]
    fake_logits = fake @ d["a"] + z @ d["b"] + d["c"]
    to_fake = of_real(fake_logits)[:, None] * d["a"] / ROWS
    to_codes = of_fake(real_logits)[:, None] * d["b"] / ROWS
    made = after.players["generator"].params["w"]
    coded = after.players["encoder"].params["v"]
    np.testing.assert_allclose(made, w - RATE * z.T @ to_fake, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(coded, v - RATE * x.T @ to_codes, rtol=1e-4, atol=1e-6)
    for name, old, new in (("generator", {"w": w}, made), ("encoder", {"v": v}, coded)):
        (key,) = old
        average = after.ema[name]["params"][key]
        np.testing.assert_allclose(average, 0.5 * (old[key] + new), rtol=1e-4, atol=1e-6)


def test_encoding_and_evaluation():
    """Codes and reconstructions under the averaged weights; errors and decisions of pairs."""
    loss = NonSaturating()
    (_, state, _), x, _ = stepped(loss)
    algorithm = build(experiment_of(loss))
    batch = {"image": x.reshape(ROWS, 1, 1, 2), "mask": np.ones(ROWS, np.float32)}
    w, v = state.ema["generator"]["params"]["w"], state.ema["encoder"]["params"]["v"]
    codes, again = algorithm.encoding.codes(state, batch), algorithm.encoding.reconstruct
    np.testing.assert_allclose(codes, x @ v, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        again(state, batch).reshape(ROWS, 2), x @ v @ w, rtol=1e-4, atol=1e-6
    )
    sums = algorithm.evaluate(state, batch, jax.random.key(0))
    np.testing.assert_allclose(
        sums["reconstruction_mse"], [np.square(x @ v @ w - x).mean(1).sum(), ROWS], rtol=1e-4
    )
    d = state.players["discriminator"].params
    logits = x @ d["a"] + x @ v @ d["b"] + d["c"]
    assert float(sums["discriminator_accuracy_real"][0]) == (logits > 0).sum()


@pytest.mark.parametrize(
    ("encoder", "prior", "gaussian"),
    [
        (MlpEncoder((4,)), Normal(3), True),
        # A Gaussian posterior beside another prior is not what metrics of VAEs are about.
        (MlpEncoder((4,)), Uniform(3), False),
        (MlpCoder((4,)), Normal(3), False),
    ],
)
def test_only_gaussian_codes_have_a_posterior(encoder, prior, gaussian):
    model = BiGan(MlpGenerator((4,)), encoder, PairMlpDiscriminator((4,)), prior=prior)
    algorithm = build(tiny.gan(model=model))
    assert ("encoder" in available.has(algorithm)) == gaussian
    assert {"codes", "images alone", "samples", "generator"} <= available.has(algorithm)


@pytest.mark.slow
def test_codes_that_are_drawn_vary_from_step_to_step():
    """ALI: the noise of the encoder's codes is drawn anew, an example by itself."""
    model = BiGan(MlpGenerator((4,)), MlpEncoder((4,)), PairMlpDiscriminator((4,)), prior=Normal(3))
    experiment = tiny.gan(model=model, batch_size=ROWS)
    algorithm = build(experiment)
    state = algorithm.init(jax.random.key(0), example_batch(experiment))
    batch = {"image": np.full((ROWS, *experiment.data.image_shape), 90, np.uint8)}
    step = jax.jit(lambda key: algorithm.phases[0].train_step(state, batch, key)[1])
    first, second, again = (step(jax.random.key(seed)) for seed in (0, 1, 0))
    assert float(first["logits/real"]) == float(again["logits/real"])
    assert float(first["logits/real"]) != float(second["logits/real"])
    # What is measured are the means.
    codes = jnp.asarray(algorithm.encoding.codes(state, batch))
    np.testing.assert_allclose(codes, codes[:1].repeat(ROWS, 0), rtol=1e-5)


def test_priors_that_are_no_vectors_are_refused():
    with pytest.raises(ConfigError, match="draws no plain vectors"):
        BiGan(MlpGenerator(), MlpCoder(), PairMlpDiscriminator(), prior=Labelled())
