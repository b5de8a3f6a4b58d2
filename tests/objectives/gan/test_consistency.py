"""Consistency regularization: what moves, how far, and which scores are compared."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from views import view

from jaxgan import rng
from jaxgan.objectives.gan.consistency import (
    BalancedConsistency,
    Consistency,
    LatentConsistency,
    shifted,
    transformed,
)
from jaxgan.objectives.gan.generator_penalties import GeneratorPenalty, GeneratorView
from jaxgan.objectives.gan.latent_spread import LatentSpread
from jaxgan.objectives.gan.penalties import Penalty
from jaxgan.objectives.gan.verdict import Verdict

DRAWS = np.random.default_rng(0)
SHAPE = (4, 8, 16, 2)
REAL, FAKE = DRAWS.normal(size=(2, *SHAPE)).astype(np.float32)
SLOPE = DRAWS.normal(size=SHAPE[1:]).astype(np.float32)
LATENTS = DRAWS.normal(size=(4, 3)).astype(np.float32)
MATRIX = DRAWS.normal(size=(3, 8 * 16 * 2)).astype(np.float32)


def scores(images, slope=SLOPE):
    return (images * slope).sum(axis=(1, 2, 3))


def generated(latents):
    return (latents["noise"] @ MATRIX).reshape(-1, *SHAPE[1:])


def shown():
    """Scores of fakes are ten times those of the same real images, as other labels make them."""
    return view(scores, jnp.asarray(REAL), jnp.asarray(FAKE))._replace(
        fake_critic=lambda images: Verdict(10.0 * scores(images)),
        on_real=Verdict(scores(jnp.asarray(REAL)) + 1.0),
        on_fake=Verdict(10.0 * scores(jnp.asarray(FAKE)) - 2.0),
        latents={"noise": jnp.asarray(LATENTS), "label": jnp.arange(4)},
        generate=generated,
    )


def by_numpy(image, flip, down, right):
    """Reflected at the border by NumPy, and cut out."""
    image = image[:, ::-1] if flip else image
    padded = np.pad(image, ((5, 5), (5, 5), (0, 0)), mode="reflect")
    height, width = image.shape[:2]
    return padded[5 - down : 5 - down + height, 5 - right : 5 - right + width]


@pytest.mark.parametrize("place", [(0, 0, 0), (0, 1, -2), (1, -1, 2), (1, 0, 0), (0, -5, 5)])
def test_shifts_are_those_of_numpy(place):
    found = shifted(jnp.asarray(REAL[0]), jnp.array(place))
    np.testing.assert_array_equal(found, by_numpy(REAL[0], *place))


@pytest.mark.slow
@pytest.mark.parametrize("flips", [False, True])
def test_every_place_within_an_eighth_and_no_other(flips):
    """Of 8 x 16 pixels: one down or up, two left or right, all equally likely."""
    count = 3000
    places = []

    def draw(role, one):
        places.append(rng.per_example(one, rng.role_key(rng.base_key(3), role), count))
        return places[-1][:4]

    drawing = shown()._replace(draw=draw)
    assert transformed(jnp.asarray(REAL), drawing, "any", flips=flips).shape == SHAPE
    found, times = np.unique(places[0], axis=0, return_counts=True)
    expected = [(f, d, r) for f in range(1 + flips) for d in (-1, 0, 1) for r in (-2, -1, 0, 1, 2)]
    np.testing.assert_array_equal(found, expected)
    mean = count / len(expected)
    assert np.abs(times - mean).max() < 5 * np.sqrt(mean)


def moved(images, role):
    key = rng.role_key(rng.base_key(7), role)

    def place(key):
        return jax.random.randint(key, (3,), jnp.array([0, -1, -2]), jnp.array([1, 2, 3]))

    places = np.asarray(rng.per_example(place, key, 4))
    assert len({tuple(one) for one in places}) > 1
    return np.stack([by_numpy(i, *p) for i, p in zip(images, places, strict=True)])


def test_cr_is_about_real_images():
    """What the update said of them, and what is said of them moved."""
    expected = 3.0 * (scores(REAL) + 1.0 - scores(moved(REAL, "consistency-real"))) ** 2
    values, state = Consistency(3.0)(shown(), ())
    assert state == ()
    np.testing.assert_allclose(values, expected, rtol=1e-4)


def test_bcr_is_about_both_with_their_own_labels_and_draws():
    of_real = 3.0 * (scores(REAL) + 1.0 - scores(moved(REAL, "consistency-real"))) ** 2
    change = 10 * scores(FAKE) - 2.0 - 10 * scores(moved(FAKE, "consistency-fake"))
    values, state = BalancedConsistency(3.0, 0.5)(shown(), ())
    assert state == ()
    np.testing.assert_allclose(values, of_real + 0.5 * change**2, rtol=1e-4)


def near(role, noise):
    key = rng.role_key(rng.base_key(7), f"{role}noise")
    draws = rng.per_example(lambda k: jax.random.normal(k, (1, 3)), key, 4)
    return {"noise": LATENTS + noise * np.asarray(draws)[:, 0], "label": np.arange(4)}


def test_zcr_of_the_discriminator():
    """Noise on latents, none on labels; the images of both, as the fakes' critic sees them."""
    made = generated(near("latent-consistency", 0.2))
    expected = 5.0 * (10 * scores(FAKE) - 2.0 - 10 * scores(made)) ** 2
    values, state = LatentConsistency(5.0, noise=0.2)(shown(), ())
    assert state == ()
    np.testing.assert_allclose(values, expected, rtol=1e-4)


def test_zcr_under_packing_draws_for_every_latent():
    """A view of packs of two draws once a pack."""
    packs = shown()._replace(real=jnp.asarray(REAL[:2]))

    def draw(role, one):
        return rng.per_example(one, rng.role_key(rng.base_key(7), role), 2)

    seen = []

    def generate(latents):
        seen.append(latents["noise"])
        return generated(latents)

    LatentConsistency()(packs._replace(draw=draw, generate=generate), ())
    moves = np.asarray(seen[0]) - LATENTS
    assert len(np.unique(moves.round(6))) == moves.size


def generator_view(scale=1.0):
    def nothing(*arguments):
        raise AssertionError("no part of it")

    def draw(role, one):
        return rng.per_example(one, rng.role_key(rng.base_key(7), role), 4)

    return GeneratorView(
        generator_params=scale,
        critic_params=None,
        generate=lambda params, latents: params * generated(latents),
        latents={"noise": jnp.asarray(LATENTS), "label": jnp.arange(4)},
        real=jnp.asarray(REAL),
        judge=nothing,
        losses=nothing,
        draw=draw,
        mean=nothing,
    )


def test_zcr_of_the_generator_wants_images_to_differ():
    """Minus the mean squared difference over pixels: descent raises the difference."""
    difference = generated({"noise": LATENTS}) - generated(near("latent-spread", 0.2))
    expected = -0.7 * (difference**2).mean(axis=(1, 2, 3))

    def values(scale):
        found, state = LatentSpread(0.7, noise=0.2).generator(generator_view(scale), ())
        assert state == ()
        return found

    np.testing.assert_allclose(values(1.0), expected, rtol=1e-4)
    slope = jax.grad(lambda scale: jnp.mean(values(scale)))(1.0)
    assert float(slope) == pytest.approx(2 * expected.mean(), rel=1e-4)
    assert float(slope) < 0


@pytest.mark.parametrize(
    "penalty", [Consistency(), BalancedConsistency(), LatentConsistency()], ids=lambda p: p.name
)
def test_both_scores_teach_the_discriminator(penalty):
    """A score that were held fixed would have half of the gradient or less."""

    def total(weight):
        def critic(images):
            return Verdict(weight * scores(images))

        one = shown()._replace(
            critic=critic,
            fake_critic=critic,
            on_real=critic(jnp.asarray(REAL)),
            on_fake=critic(jnp.asarray(FAKE)),
        )
        return jnp.mean(penalty(one, ())[0])

    # The penalty is quadratic in the weight.
    assert float(jax.grad(total)(3.0)) == pytest.approx(2 * float(total(3.0)) / 3.0, rel=1e-4)


@pytest.mark.parametrize("penalty", [Consistency(), BalancedConsistency()], ids=lambda p: p.name)
def test_points_and_tiny_images_are_refused(penalty):
    points = view(scores, jnp.zeros((2, 1, 1, 2)), jnp.zeros((2, 1, 1, 2)))
    with pytest.raises(ValueError, match=r"must have 8 pixels a side, and have 1x1$"):
        penalty(points, ())


def test_are_plain_values():
    for one in (Consistency(), BalancedConsistency(), LatentConsistency()):
        assert isinstance(one, Penalty)
        assert not one.per_example
    assert isinstance(LatentSpread(), GeneratorPenalty)
    assert Consistency() == Consistency(weight=10.0, flips=False, every=1)
    assert LatentConsistency() == LatentConsistency(weight=20.0, noise=0.05, every=1)
    assert LatentSpread() == LatentSpread(weight=0.5, noise=0.05, every=1)


@pytest.mark.parametrize(
    ("cls", "settings"),
    [
        (Consistency, {"weight": 0.0}),
        (BalancedConsistency, {"real_weight": -1.0}),
        (BalancedConsistency, {"fake_weight": float("inf")}),
        (LatentConsistency, {"noise": 0.0}),
        (LatentConsistency, {"every": 0}),
        (LatentSpread, {"weight": 0.0}),
        (LatentSpread, {"noise": float("nan")}),
    ],
)
def test_bad_settings(cls, settings):
    (name, value), *_ = settings.items()
    with pytest.raises(ValueError, match=rf"^{name} = {value}: must be"):
        cls(**settings)
