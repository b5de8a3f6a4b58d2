"""Critics of the toys: what they minimize and how they are measured, against NumPy."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scripts import script

from jaxgan import rng
from jaxgan.networks.mlp import MlpDiscriminator
from jaxgan.objectives.gan.verdict import Verdict

toys = script("wgan_gp_toys")


def small(widths=(5,)):
    network = MlpDiscriminator(widths=widths, slope=0.0)
    params = network.init(jax.random.key(3), jnp.zeros((1, 1, 1, 2)), train=True)["params"]
    return network, params


def by_hand(weights, real, noise, share, weight):
    """Mean of ``D(x + n) - D(x) + weight (|grad D| - 1)^2``, one hidden layer of ReLU."""
    kernel, bias, head, offset = weights

    def judge(x):
        return np.maximum(x @ kernel + bias, 0.0) @ head[:, 0] + offset[0]

    between = share[:, None] * real + (1 - share[:, None]) * (real + noise)
    slopes = ((between @ kernel + bias > 0) * head[:, 0]) @ kernel.T
    penalty = weight * (np.sqrt((slopes**2).sum(axis=1)) - 1) ** 2
    return (judge(real + noise) - judge(real) + penalty).mean()


@pytest.mark.parametrize(("how", "weight"), [("penalty", 0.1), ("clipping", 0.0)])
def test_gradients_of_a_critic_against_differences(monkeypatch, how, weight):
    """Central differences of the formula in NumPy, in float64, by every weight."""
    network, params = small()
    monkeypatch.setattr(toys, "NETWORK", network)
    with jax.enable_x64(True):
        key = rng.base_key(7)
        real = jnp.asarray(np.random.default_rng(0).normal(size=(6, 1, 1, 2)))
        noise = (toys.noisy(real, rng.role_key(key, "noise")) - real).reshape(6, 2)
        share = rng.per_example(jax.random.uniform, rng.role_key(key, "share"), 6)
        params = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), params)
        value, found = jax.value_and_grad(toys.objective)(params, toys.METHODS[how], real, key)
        given = [np.asarray(x) for x in (real.reshape(6, 2), noise, share)]
    tree = [params["HiddenLayers_0"]["Dense_0"], params["LogitHead_0"]["Dense_0"]]
    weights = [np.array(layer[name]) for layer in tree for name in ("kernel", "bias")]
    assert value == pytest.approx(by_hand(weights, *given, weight), rel=1e-5)
    tree = [found["HiddenLayers_0"]["Dense_0"], found["LogitHead_0"]["Dense_0"]]
    gradients = [np.asarray(layer[name]) for layer in tree for name in ("kernel", "bias")]
    for index, array in enumerate(weights):
        for place in np.ndindex(array.shape):
            values = []
            for move in (1e-6, -1e-6):
                moved = [one.copy() for one in weights]
                moved[index][place] += move
                values.append(by_hand(moved, *given, weight))
            expected = (values[0] - values[1]) / 2e-6
            assert gradients[index][place] == pytest.approx(expected, abs=1e-5)


def test_noise_is_standard_normal_and_each_point_has_its_own():
    real = jnp.full((20_000, 1, 1, 2), 3.0)
    noise = np.asarray(toys.noisy(real, jax.random.key(0)) - real)[:, 0, 0]
    np.testing.assert_allclose(noise.mean(axis=0), 0.0, atol=0.03)
    np.testing.assert_allclose(np.cov(noise.T), np.eye(2), atol=0.04)


def test_first_weights_are_those_of_he(monkeypatch):
    """Standard deviations sqrt(2 / inputs) in the hidden layers, sqrt(1 / inputs) in the last."""
    monkeypatch.setattr(toys, "NETWORK", small((300, 300))[0])
    optimizer = toys.METHODS["penalty"].optimizer.build(10)
    params = toys.first(jax.random.key(0), optimizer).params
    hidden, head = params["HiddenLayers_0"], params["LogitHead_0"]["Dense_0"]
    for layer, expected in (("Dense_0", 1.0), ("Dense_1", np.sqrt(2 / 300))):
        assert float(jnp.std(hidden[layer]["kernel"])) == pytest.approx(expected, rel=0.1)
        assert not hidden[layer]["bias"].any()
    assert float(jnp.std(head["kernel"])) == pytest.approx(np.sqrt(1 / 300), rel=0.15)


def test_weights_are_clipped_after_an_update_and_only_under_clipping(monkeypatch):
    monkeypatch.setattr(toys, "NETWORK", small()[0])
    real = jnp.ones((4, 1, 1, 2))
    for how, method in toys.METHODS.items():
        optimizer = method.optimizer.build(10)

        @jax.jit
        def after_one(key, method=method, optimizer=optimizer):
            return toys.update(method, optimizer, toys.first(key, optimizer), real, key)

        after = after_one(rng.base_key(0))
        largest = max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(after.params))
        assert (largest <= np.float32(0.01)) == (how == "clipping")


def test_what_is_measured_of_a_plane(monkeypatch):
    """``D(x) = 3 x_1 + 4 x_2``: slope 5 everywhere; the rest counted in NumPy."""

    def plane(params):
        return lambda images: Verdict(images[:, 0, 0] @ jnp.array([3.0, 4.0]))

    monkeypatch.setattr(toys, "critic", plane)
    source = toys.SOURCES["8 Gaussians"]
    found = toys.measured(None, source, points=300)
    real = source.load("test").images[:300]
    fake = np.asarray(toys.noisy(jnp.asarray(real), jax.random.key(1)))
    on_real, on_fake = (x[:, 0, 0].astype(np.float64) @ [3.0, 4.0] for x in (real, fake))
    assert found.slope == pytest.approx(5.0, rel=1e-6)
    assert found.spread == pytest.approx(0.0, abs=1e-6)
    pairs = [a > b for a in on_real for b in on_fake]
    assert found.told == pytest.approx(np.mean(pairs), abs=1e-4)
    assert found.balance == pytest.approx((on_real.mean() - on_fake.mean()) / (2 * 0.1 * 4 * 5),
                                          rel=1e-4)  # fmt: skip


def test_balance_is_one_where_the_scale_of_a_critic_is_best(monkeypatch):
    """Of all multiples of one function the best one, found by a search, has balance 1."""
    from scipy.optimize import minimize_scalar

    source = toys.SOURCES["swiss roll"]
    real = jnp.asarray(source.load("test").images[:400])
    key = jax.random.key(1)
    fake = toys.noisy(real, key)
    share = jax.random.uniform(rng.role_key(key, "share"), (len(real),))
    between = toys.interpolate(real=real, fake=fake, share=share)

    def critic(scale):
        return lambda images: Verdict(-scale * jnp.sum(jnp.square(images), axis=(1, 2, 3)))

    def objective(scale):
        judge = critic(scale)
        slopes = toys.lengths(toys.squared_slopes(judge, between))
        gap = jnp.mean(judge(fake).logits - judge(real).logits)
        return float(gap + toys.WEIGHT * jnp.mean(jnp.square(slopes - 1.0)))

    best = minimize_scalar(objective, bounds=(0.01, 20.0), method="bounded").x
    monkeypatch.setattr(toys, "critic", critic)
    assert toys.measured(best, source, points=400).balance == pytest.approx(1.0, abs=2e-3)
    assert abs(toys.measured(1.3 * best, source, points=400).balance - 1.0) > 0.1


@pytest.mark.slow
def test_a_reduced_run_writes_its_numbers_and_its_figure(monkeypatch, tmp_path):
    from PIL import Image

    monkeypatch.setattr(toys, "NETWORK", small((16, 16))[0])
    names = ["8 Gaussians", "swiss roll"]
    monkeypatch.setattr(toys, "SOURCES", {name: toys.SOURCES[name] for name in names})
    with pytest.raises(SystemExit) as stop:
        toys.main(["--iterations", "2", "--seeds", "2", "--results", str(tmp_path)])
    # Ten updates reproduce nothing, and that is said.
    assert stop.value.code == 1
    document = json.loads((tmp_path / "wgan_gp_toys.json").read_text())
    assert document["settings"]["iterations"] == 2
    assert [*document["settings"]["measured"]] == names
    picture = np.asarray(Image.open(tmp_path / "wgan_gp_toys.png"))
    assert picture.shape == (2 * 160 + 4, 2 * 160 + 4, 3)
    assert (tmp_path / "wgan_gp_toys.png").stat().st_size < 100_000
