"""The ring's networks, first weights and scores, and what the table says of runs."""

import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scripts import misses, script

from jaxgan.algorithms.base import build
from jaxgan.objectives.gan.game_gradients import GradientRegularization
from jaxgan.objectives.gan.losses import Minimax
from jaxgan.objectives.gan.zero_sum import ZeroSum
from jaxgan.optim import Adam
from jaxgan.program import example_batch

ring = script("ring_of_8")


@pytest.fixture(scope="module")
def first():
    """The first state of the plain method, before and after the gain."""
    experiment = ring.experiment_of(ring.PLAIN, 10)
    state = jax.jit(build(experiment).init)(jax.random.key(0), example_batch(experiment))
    return state, ring.begun(state)


def test_networks_and_games_are_those_of_the_code(first):
    models = {name: ring.experiment_of(name, 10).model for name in ring.METHODS}
    assert [one.unrolled_steps for one in models.values()] == [0, 15, 0]
    penalties = [one.generator_penalties for one in models.values()]
    assert penalties == [(), (), (GradientRegularization(weight=0.5, every=1),)]
    for model in models.values():
        # The saturating value, for both players.
        assert model.loss == ZeroSum(Minimax())
        assert model.generator_optimizer == model.discriminator_optimizer == Adam(1e-4, b1=0.5)
        assert (model.n_critic, model.penalties) == (1, ())
    found = {
        name: sum(leaf.size for leaf in jax.tree.leaves(player.params))
        for name, player in first[0].players.items()
    }
    generator = (256 * 128 + 128) + (128 * 128 + 128) + (128 * 2 + 2)
    assert found == {"generator": generator, "discriminator": (2 * 128 + 128) + (128 + 1)}


def test_first_weights_are_orthogonal_times_the_gain(first):
    kernels = 0
    for player in first[1].players.values():
        for path, leaf in jax.tree_util.tree_leaves_with_path(player.params):
            weights = np.asarray(leaf, np.float64)
            if weights.ndim == 1:
                assert not weights.any(), path
                continue
            kernels += 1
            small = weights if weights.shape[0] <= weights.shape[1] else weights.T
            np.testing.assert_allclose(small @ small.T, 0.64 * np.eye(len(small)), atol=1e-5)
    assert kernels == 5


def test_the_discriminator_sees_a_quarter(first):
    """Against NumPy: one layer of rectifiers."""
    params = first[1].players["discriminator"].params
    by_shape = {leaf.shape: np.asarray(leaf) for leaf in jax.tree.leaves(params)}
    points = np.random.default_rng(1).normal(0.0, 2.0, (6, 2)).astype(np.float32)
    expected = np.maximum(points / 4 @ by_shape[2, 128], 0.0) @ by_shape[128, 1]
    network = ring.experiment_of(ring.PLAIN, 10).model.discriminator
    found = network.apply({"params": params}, jnp.asarray(points).reshape(6, 1, 1, 2), train=True)
    np.testing.assert_allclose(found, expected[:, 0], rtol=1e-4, atol=1e-6)


def test_there_are_eight_modes_apart_and_data_covers_them():
    """A circle whose two ends are both centers has seven."""
    modes = ring.RING.modes
    apart = np.linalg.norm(modes[:, None] - modes[None], axis=-1) + 9 * np.eye(8)
    np.testing.assert_allclose(np.hypot(*modes.T), 2.0)
    np.testing.assert_allclose(apart.min(1), 4 * math.sin(math.pi / 8))
    points = ring.RING.load("test").images[: ring.SAMPLES]
    modes, good, kl = ring.mixture_scores(points, ring.RING.modes, ring.RING.std)
    assert modes == 8
    assert good == pytest.approx(1 - math.exp(-4.5), abs=0.01)
    assert kl < 0.01


def run(*modes):
    return [ring.Look(one, 0.5, 0.1) for one in modes]


def test_who_hops_has_few_modes_at_any_time():
    assert ring.covered(run(8, 8, 1, 2)) == 1.5
    assert ring.covered(run(0, 0, 0, 8, 8, 6)) == pytest.approx(22 / 3)


def test_a_picture_has_a_row_a_method():
    times = np.zeros((ring.LOOKS, 5, 2))
    outside, gone = np.full_like(times, 99.0), np.full_like(times, np.nan)
    found = ring.picture({"a": times, "b": outside, "c": gone})
    edge, count = ring.EDGE, ring.LOOKS
    assert found.shape == (3 * (edge + 2) - 2, count * (edge + 2) - 2, 3)
    middle = edge // 2
    assert found[middle, middle].sum() < found[2 * edge + 4 + middle, middle].sum()
    np.testing.assert_array_equal(found[edge + 2 : 2 * edge + 2], found[2 * (edge + 2) :])


@pytest.mark.parametrize(
    ("plain", "others", "missed"),
    [
        ((2, 2, 1, 2), (4, 8, 8, 8), 0),
        ((8, 8, 8, 8), (8, 8, 8, 8), 2),
        ((2, 2, 2, 2), (8, 8, 2, 2), 4),
    ],
)
def test_the_table_compares_runs(monkeypatch, plain, others, missed):
    def looks(experiment, seeds):
        is_plain = not experiment.model.unrolled_steps and not experiment.model.generator_penalties
        return [run(*(plain if is_plain else others)) for _ in seeds], np.zeros((4, 3, 2))

    monkeypatch.setattr(ring, "looks", looks)
    found = ring.reproduce(steps=ring.STEPS, seeds=3)
    assert len(misses(found)) == missed
    assert (len(found.rows), len(found.orders)) == (2, 2)
    assert found.reduction == ""
    assert ring.reproduce(steps=1000, seeds=3).reduction == "1,000 of 100,001 steps"
    json.dumps(found.settings, allow_nan=False)


@pytest.mark.slow
def test_a_reduced_run_writes_its_numbers_and_its_figure(monkeypatch, tmp_path):
    """Methods leave the same first weights in different ways."""
    from PIL import Image

    shown = {}
    methods = {**ring.METHODS, ring.UNROLLED: {"unrolled_steps": 2}}
    monkeypatch.setattr(ring, "METHODS", methods)
    monkeypatch.setattr(ring, "BATCH", 64)
    before = ring.looks

    def looks(experiment, seeds):
        found, points = before(experiment, seeds)
        shown[len(shown)] = points
        return found, points

    monkeypatch.setattr(ring, "looks", looks)
    ring.main(["--steps", "20", "--seeds", "2", "--results", str(tmp_path)])
    document = json.loads((tmp_path / "ring_of_8.json").read_text())
    assert document["verdict"] == "reduction: 20 of 100,001 steps"
    assert document["command"].endswith("ring_of_8.py --steps 20 --seeds 2")
    for runs in document["settings"]["measured"].values():
        assert [len(one["good"]) for one in runs] == [ring.LOOKS] * 2
    assert np.asarray(Image.open(tmp_path / "ring_of_8.png")).shape[2] == 3
    for one, other in ((0, 1), (0, 2), (1, 2)):
        apart = np.abs(shown[one] - shown[other]).max(axis=(1, 2))
        assert 0.0 < apart[-1] < 0.5
        assert apart[-1] > apart[0]
