import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.objectives.gan.losses import Minimax, Wasserstein
from jaxgan.objectives.gan.zero_sum import ZeroSum

REAL, FAKE = jnp.asarray([2.0, -1.0]), jnp.asarray([-3.0, 0.5])


def test_the_generator_gets_the_real_term_too():
    found = ZeroSum().generator(real=REAL, fake=FAKE)
    np.testing.assert_allclose(
        found, -np.log1p(np.exp(-np.asarray(REAL))) - np.log1p(np.exp(np.asarray(FAKE))), rtol=1e-6
    )
    slopes = jax.grad(lambda real: jnp.sum(ZeroSum().generator(real=real, fake=FAKE)))(REAL)
    np.testing.assert_allclose(slopes, 1 / (1 + np.exp(np.asarray(REAL))), rtol=1e-6)


def test_of_generated_images_it_is_the_game_itself():
    def slope(loss):
        return jax.grad(lambda fake: jnp.sum(loss.generator(real=REAL, fake=fake)))(FAKE)

    for game in (Minimax(), Minimax(real_label=0.9), Wasserstein()):
        np.testing.assert_allclose(slope(ZeroSum(game)), slope(game), rtol=1e-6)
        np.testing.assert_array_equal(
            ZeroSum(game).discriminator(real=REAL, fake=FAKE),
            game.discriminator(real=REAL, fake=FAKE),
        )
        assert ZeroSum(game).correct(real=REAL, fake=FAKE).keys() == (
            game.correct(real=REAL, fake=FAKE).keys()
        )
