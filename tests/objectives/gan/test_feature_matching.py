"""Feature matching against means and lengths in NumPy, and who is trained by what."""

import doctest

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.objectives.gan import feature_matching
from jaxgan.objectives.gan.feature_matching import (
    AbsoluteFeatureMatching,
    FeatureMatching,
    Perceived,
)
from jaxgan.objectives.gan.losses import NonSaturating
from jaxgan.objectives.gan.verdict import Verdict

DRAWS = np.random.default_rng(0)
BATCH, SIZE = 5, 3
REAL, FAKE = (
    Verdict(
        jnp.asarray(DRAWS.normal(size=BATCH), jnp.float32),
        {},
        # The first layer's are not what is matched.
        (
            jnp.asarray(DRAWS.normal(size=(BATCH, 7)), jnp.float32),
            jnp.asarray(DRAWS.normal(size=(BATCH, SIZE)), jnp.float32),
        ),
    )
    for _ in range(2)
)
DIFFERENCE = np.mean(REAL.features[-1], axis=0) - np.mean(FAKE.features[-1], axis=0)
EXPECTED = {
    FeatureMatching: (np.linalg.norm(DIFFERENCE) ** 2, 2 * DIFFERENCE),
    AbsoluteFeatureMatching: (np.abs(DIFFERENCE).mean(), np.sign(DIFFERENCE) / SIZE),
}
EVERY = pytest.mark.parametrize("cls", EXPECTED)


@EVERY
def test_the_discriminator_may_be_left_to_others(cls):
    """Then it costs nothing, and the generator's loss is as it was."""
    loss, plain = cls(adversarial=False), cls()
    seen = {"real": loss.reads(REAL), "fake": loss.reads(FAKE)}
    np.testing.assert_array_equal(loss.discriminator(**seen), np.zeros(BATCH))
    assert plain.discriminator(**seen).min() > 0.0
    np.testing.assert_array_equal(loss.generator(**seen), plain.generator(**seen))


@EVERY
def test_the_generator_matches_means(cls):
    """One number for every example, whose mean has the gradient that the paper's term has."""
    loss, (expected, slope) = cls(), EXPECTED[cls]
    real, fake = loss.reads(REAL), loss.reads(FAKE)

    def mean(real, fake):
        values = loss.generator(real=real, fake=fake)
        return jnp.mean(values), values

    (_, values), (by_real, by_fake) = jax.value_and_grad(mean, (0, 1), has_aux=True)(real, fake)
    assert values.shape == (BATCH,)
    np.testing.assert_allclose(values, expected, rtol=1e-6)
    # Each example's features are a fifth of a mean; real ones pull where generated ones are pulled.
    np.testing.assert_allclose(by_fake.features, np.tile(-slope / BATCH, (BATCH, 1)), rtol=1e-5)
    np.testing.assert_allclose(by_real.features, -by_fake.features, rtol=1e-6)
    assert not by_fake.logits.any()
    assert not by_real.logits.any()


@EVERY
def test_the_discriminator_is_that_of_the_first_gan(cls):
    loss = cls()
    real, fake = loss.reads(REAL), loss.reads(FAKE)
    expected = NonSaturating().discriminator(real=REAL.logits, fake=FAKE.logits)
    np.testing.assert_array_equal(loss.discriminator(real=real, fake=fake), expected)
    by_real, by_fake = jax.grad(
        lambda r, f: jnp.sum(loss.discriminator(real=r, fake=f)), argnums=(0, 1)
    )(real, fake)
    assert (by_real.logits < 0).all()
    assert (by_fake.logits > 0).all()
    # It is not trained to keep the two kinds of features apart.
    assert not by_real.features.any()
    assert not by_fake.features.any()
    correct = loss.correct(real=real, fake=fake)
    assert correct["accuracy_real"].tolist() == (np.asarray(REAL.logits) > 0).tolist()
    assert correct["accuracy_fake"].tolist() == (np.asarray(FAKE.logits) < 0).tolist()


def test_features_are_read_as_vectors():
    planes = jnp.arange(24.0).reshape(2, 3, 2, 2)
    read = FeatureMatching().reads(Verdict(jnp.zeros(2), {}, (planes,)))
    np.testing.assert_array_equal(read.features, np.arange(24.0).reshape(2, 12))
    assert isinstance(read, Perceived)


def test_a_discriminator_without_features_is_refused():
    with pytest.raises(
        ValueError, match=r"returns none: use FeatureMlpDiscriminator, Feature"
    ) as e:
        FeatureMatching().reads(Verdict(jnp.zeros(2)))
    assert "\n" not in str(e.value)


def test_examples():
    result = doctest.testmod(feature_matching)
    assert result.attempted >= 6
    assert result.failed == 0
