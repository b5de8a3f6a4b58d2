"""A VQ-VAE of linear networks: both phases by hand, and codes drawn place by place."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.special import log_softmax

from jaxgan.algorithms.base import build
from jaxgan.algorithms.vq_parts import drawn, log_probability
from jaxgan.algorithms.vq_vae import VqVae
from jaxgan.config import ConfigError, Experiment
from jaxgan.data.pipeline import Data
from jaxgan.networks.mlp import MlpEncoder
from jaxgan.networks.vq import GridDecoder, GridEncoder
from jaxgan.objectives.vae.codebook import Codebook
from jaxgan.objectives.vae.likelihoods import Gaussian
from jaxgan.optim import Adam, Ema, Schedule, Sgd
from jaxgan.program import example_batch

ROWS, PLACES, SIZE, CODES = 6, 2, 2, 4
RATE, SCALE, BETA, DECAY = 0.02, 0.7, 0.4, 0.8
NORMAL = nn.initializers.normal(0.7)
IMAGES = np.random.default_rng(3).integers(0, 256, (ROWS, 2, 2, 1), np.uint8)
INPUTS, TARGETS = (IMAGES.reshape(ROWS, 4) / s - t for s, t in ((127.5, 1.0), (255.0, 0.0)))


class Encoder(nn.Module):
    """``x A``, two numbers at each of two places."""

    @nn.compact
    def __call__(self, images, *, latent_size, train, axis_name=None):
        weight = self.param("a", NORMAL, (4, PLACES * latent_size))
        return (images.reshape(-1, 4) @ weight).reshape(-1, 1, PLACES, latent_size)


class Decoder(nn.Module):
    """``z B``."""

    @nn.compact
    def __call__(self, grid, *, image_shape, train, axis_name=None):
        weight = self.param("b", NORMAL, (PLACES * SIZE, 4))
        return (grid.reshape(-1, PLACES * SIZE) @ weight).reshape(-1, *image_shape)


class Table(nn.Module):
    """Logits of the first place, and those of the second by the code of the first."""

    @nn.compact
    def __call__(self, grid, *, train, axis_name=None):
        first = self.param("first", NORMAL, (CODES,))
        second = grid[:, 0, 0] @ self.param("second", NORMAL, (CODES, CODES))
        return jnp.stack([jnp.broadcast_to(first, second.shape), second], axis=1)[:, None]


def experiment_of(**changes):
    settings = {
        "encoder": Encoder(), "decoder": Decoder(), "prior": Table(),
        "likelihood": Gaussian(SCALE), "codebook": Codebook(CODES, SIZE, DECAY, restart=0.0),
        "commitment": BETA, "share": 0.25, "optimizer": Sgd(RATE),
        "prior_optimizer": Adam(learning_rate=RATE, b1=0.9), "ema": Ema(0.5, warmup=False),
    }  # fmt: skip
    return Experiment(
        name="by-hand",
        model=VqVae(**{**settings, **changes}),
        data=Data(image_size=2, channels=1),
        steps=8,
        batch_size=ROWS,
    )


def in_double(tree):
    return jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), tree)


@functools.cache
def stepped():
    """States before, after a step of the first phase, and after one of the second, and metrics."""
    experiment = experiment_of()
    algorithm, batch = build(experiment), {"image": IMAGES}
    state = algorithm.init(jax.random.key(1), example_batch(experiment))
    (_, train_first, _), (_, train_second, enter) = algorithm.phases
    first, metrics = jax.jit(train_first)(state, batch, jax.random.key(2))
    second, more = jax.jit(train_second)(enter(first), batch, jax.random.key(3))
    return jax.device_get((state, first, second)), jax.device_get((metrics, more))


def quantized(state):
    """The encoder's vectors, the codes' indices, and the codes."""
    weight = in_double(state.players["autoencoder"].params["encoder"]["a"])
    vectors = (INPUTS @ weight).reshape(ROWS, PLACES, SIZE)
    book = in_double(state.extras.totals) / in_double(state.extras.counts)[:, None]
    indices = np.square(vectors[:, :, None] - book).sum(-1).argmin(-1)
    return vectors, indices, book[indices]


def test_the_first_phase_by_hand():
    """The decoder's slope at the codes goes to the vectors as it is, with 2 beta (z - e)."""
    (before, after, _), (metrics, _) = stepped()
    params = in_double(before.players["autoencoder"].params)
    vectors, indices, codes = quantized(before)
    assert len(np.unique(indices)) > 1
    flat = codes.reshape(ROWS, -1)
    outputs = flat @ params["decoder"]["b"]
    likelihood = stats.norm(outputs, SCALE).logpdf(TARGETS).sum(1)
    distance = np.square(vectors - codes).sum((1, 2))
    by_outputs = (outputs - TARGETS) / SCALE**2 / ROWS
    by_vectors = by_outputs @ params["decoder"]["b"].T
    by_vectors += 2 * BETA * (vectors - codes).reshape(ROWS, -1) / ROWS
    found = after.players["autoencoder"].params
    close = functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6)
    close(found["decoder"]["b"], params["decoder"]["b"] - RATE * flat.T @ by_outputs)
    close(found["encoder"]["a"], params["encoder"]["a"] - RATE * INPUTS.T @ by_vectors)
    close(metrics["reconstruction"], likelihood.mean())
    close(metrics["commitment"], distance.mean())
    close(metrics["loss/autoencoder"], (BETA * distance - likelihood).mean())
    shares = np.bincount(indices.ravel(), minlength=CODES) / indices.size
    close(metrics["perplexity"], np.exp(stats.entropy(shares)))


def test_the_codebook_follows_the_vectors_and_has_no_gradient():
    (before, after, _), _ = stepped()
    vectors, indices, _ = quantized(before)
    for code in range(CODES):
        mine = vectors[indices == code]
        count = DECAY * before.extras.counts[code] + (1 - DECAY) * len(mine)
        total = DECAY * before.extras.totals[code] + (1 - DECAY) * mine.sum(0)
        np.testing.assert_allclose(after.extras.counts[code], count, rtol=1e-5)
        np.testing.assert_allclose(after.extras.totals[code], total, rtol=1e-4, atol=1e-6)


def test_codes_start_anew_where_vectors_of_the_batch_are():
    """All that are used less than on average, each at one of the batch's vectors."""
    (before, _, _), _ = stepped()
    vectors, indices, _ = quantized(before)
    algorithm = build(experiment_of(codebook=Codebook(CODES, SIZE, DECAY, restart=0.99)))
    step = jax.jit(algorithm.phases[0].train_step)
    after = step(before, {"image": IMAGES}, jax.random.key(2))[0].extras
    counts = DECAY + (1 - DECAY) * np.bincount(indices.ravel(), minlength=CODES)
    dead = counts < 0.99 * counts.mean()
    assert 1 <= dead.sum() < CODES
    np.testing.assert_allclose(after.counts, np.where(dead, counts.mean(), counts), rtol=1e-5)
    book = np.asarray(after.totals / after.counts[:, None])
    apart = np.abs(book[:, None] - vectors.reshape(1, -1, SIZE)).max(-1).min(1)
    np.testing.assert_array_equal(apart < 1e-5, dead)


def test_learning_rates_that_are_not_those_of_a_phase_are_not_told():
    falling = Adam(schedule=Schedule("linear"))
    model = experiment_of(optimizer=falling).model
    assert model.optimizers.keys() == {"prior"}


def test_each_phase_leaves_the_other_player_as_it_is():
    (before, first, second), (metrics, more) = stepped()

    def same(a, b):
        return all(jax.tree.leaves(jax.tree.map(np.array_equal, a, b)))

    assert same(before.players["prior"], first.players["prior"])
    assert same(before.ema, first.ema)
    assert not same(before.extras, first.extras)
    assert same(first.players["autoencoder"], second.players["autoencoder"])
    assert same(first.extras, second.extras)
    assert not same(first.players["prior"].params, second.players["prior"].params)
    assert "loss/prior" in more
    assert metrics.keys().isdisjoint(more)


def test_the_second_phase_learns_the_codes_of_images():
    """Cross-entropy by the chain rule; Adam's first update is the rate, against the gradient."""
    (_, before, after), (_, metrics) = stepped()
    _, (a, b), _ = *quantized(before)[:1], quantized(before)[1].T, None
    table = in_double(before.players["prior"].params)
    first, second = log_softmax(table["first"]), log_softmax(table["second"], axis=1)
    np.testing.assert_allclose(metrics["loss/prior"], -(first[a] + second[a, b]).mean(), rtol=1e-5)
    slope = np.exp(first) - np.bincount(a, minlength=CODES) / ROWS
    moved = after.players["prior"].params["first"] - table["first"]
    np.testing.assert_allclose(moved, -RATE * np.sign(slope), rtol=1e-2)
    average = after.ema["prior"]["params"]["first"]
    np.testing.assert_allclose(average, table["first"] + moved / 2, rtol=1e-4, atol=1e-6)


def test_the_optimizer_of_the_prior_starts_with_its_phase():
    algorithm = build(experiment_of(prior_optimizer=Sgd(RATE, momentum=0.5)))
    assert [phase.until for phase in algorithm.phases] == [2, 8]
    state = algorithm.init(jax.random.key(1), {"image": IMAGES})
    player = state.players["prior"]
    old = player.replace(opt_state=jax.tree.map(jnp.ones_like, player.opt_state))
    entered = algorithm.phases[1].enter(state.replace(players={**state.players, "prior": old}))
    for leaf in jax.tree.leaves(entered.players["prior"].opt_state):
        np.testing.assert_array_equal(leaf, jnp.zeros_like(leaf))


def test_evaluation_and_codes():
    """A bound of the likelihood, with all mass on one grid of codes."""
    (_, _, state), _ = stepped()
    algorithm = build(experiment_of())
    batch = {"image": IMAGES, "mask": np.ones(ROWS, np.float32)}
    _, indices, codes = quantized(state)
    params = in_double(state.players["autoencoder"].params)
    outputs = codes.reshape(ROWS, -1) @ params["decoder"]["b"]
    likelihood = stats.norm(outputs, SCALE).logpdf(TARGETS).sum(1)
    table = in_double(state.ema["prior"]["params"])
    kl = -log_softmax(table["first"])[indices[:, 0]]
    kl -= log_softmax(table["second"], axis=1)[indices[:, 0], indices[:, 1]]
    sums = algorithm.evaluate(state, batch, jax.random.key(0))
    for name, values in {"elbo": likelihood - kl, "reconstruction": likelihood, "kl": kl}.items():
        np.testing.assert_allclose(sums[name], (values.sum(), ROWS), rtol=1e-4)
    found = algorithm.encoding.codes(state, batch)
    np.testing.assert_allclose(found, codes.reshape(ROWS, -1), rtol=1e-4, atol=1e-6)
    images = algorithm.encoding.reconstruct(state, batch)
    np.testing.assert_allclose(images.reshape(ROWS, -1), outputs.clip(0, 1), rtol=1e-4, atol=1e-6)
    assert algorithm.density is None


def test_codes_are_drawn_in_reading_order_given_those_before():
    """By NumPy, place by place: the logits of a place are a function of the last two codes."""
    draws = np.random.default_rng(0)
    table = draws.normal(0, 2, (4, 4, 4)).astype(np.float32)
    uniform = draws.random((50, 2, 3)).astype(np.float32)
    uniform[0] = 0.0
    uniform[1] = np.nextafter(np.float32(1), np.float32(0))

    def predict(found):
        flat = found.reshape(len(found), -1)
        past = jnp.pad(flat, ((0, 0), (2, 0)))
        return jnp.asarray(table)[past[:, :-2], past[:, 1:-1]].reshape(*found.shape, 4)

    expected = np.zeros((50, 8), int)
    for place in range(6):
        p = np.exp(log_softmax(table[expected[:, place], expected[:, place + 1]], axis=-1))
        below = np.cumsum(p, axis=1)
        u = uniform.reshape(50, 6)[:, place, None]
        expected[:, place + 2] = np.minimum((below <= u).sum(1), 3)
    found = jax.jit(lambda u: drawn(predict, u))(uniform)
    np.testing.assert_array_equal(found.reshape(50, 6), expected[:, 2:])
    np.testing.assert_array_equal(found[:2].reshape(2, 6), np.repeat([[0], [3]], 6, 1))


def test_categories_without_mass_are_never_drawn():
    """Neither for the smallest number nor for the largest."""
    logits = jnp.asarray([-1e9, 0.0, 0.0, -1e9])
    uniform = jnp.asarray([0.0, 0.49, 0.51, np.nextafter(np.float32(1), np.float32(0))])
    found = drawn(lambda f: jnp.broadcast_to(logits, (*f.shape, 4)), uniform.reshape(4, 1, 1))
    assert found.ravel().tolist() == [1, 1, 2, 2]


def test_the_probability_of_all_codes_is_the_product():
    logits = np.random.default_rng(0).normal(size=(2, 2, 3, 4)).astype(np.float32)
    indices = np.random.default_rng(1).integers(0, 4, (2, 2, 3))
    chosen = np.take_along_axis(log_softmax(logits, axis=-1), indices[..., None], -1)
    np.testing.assert_allclose(
        log_probability(jnp.asarray(logits), jnp.asarray(indices)), chosen.sum((1, 2, 3)), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"commitment": -1.0}, "commitment = -1.0"),
        ({"share": 1.0}, "share = 1.0"),
        ({"encoder": MlpEncoder()}, "the encoder, MlpEncoder, returns a tuple"),
        ({"decoder": GridDecoder(halvings=2)}, "the sides must be multiples of 4"),
        ({"encoder": GridEncoder(halvings=2)}, "the sides must be multiples of 4"),
    ],
)
def test_what_cannot_be_trained_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message) as raised:
        build(experiment_of(**changes))
    assert "\n" not in str(raised.value)
