"""The benchmark of penalties: both ways to a second derivative are one, and one-line mistakes."""

import jax
import jax.numpy as jnp
import numpy as np
import penalties as benchmark
import pytest

from jaxgan.objectives.gan.slopes import squared_slopes
from jaxgan.objectives.gan.verdict import Verdict

DRAWS = np.random.default_rng(0)
POINTS = jnp.asarray(DRAWS.normal(size=(3, 2, 2, 1)), jnp.float32)
PARAMS = [jnp.asarray(DRAWS.normal(size=shape), jnp.float32) for shape in ((4, 5), (5,))]


@pytest.mark.parametrize("shape", [jnp.square, lambda squares: (jnp.sqrt(squares) - 1.0) ** 2])
def test_the_derivative_along_the_gradient_is_that_of_the_gradient(shape):
    """Of R1, and of the gradient penalty: values, and what they teach."""

    def penalty(params, slopes):
        def critic(images):
            return Verdict(jnp.tanh(images.reshape(3, 4) @ params[0]) @ params[1])

        return jnp.sum(shape(slopes(critic, POINTS)))

    for one, other in zip(
        *(
            jax.tree.leaves(jax.value_and_grad(penalty)(PARAMS, slopes))
            for slopes in (squared_slopes, benchmark.along_the_gradient)
        ),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--only", "fid"], "error: --only fid: no such measure; there are slopes, steps"),
        (["--rounds", "0"], "error: --rounds 0: must be at least 1"),
    ],
)
def test_mistakes_are_one_line(words, line, capsys):
    with pytest.raises(SystemExit) as stop:
        benchmark.main(words)
    assert stop.value.code == 2
    assert capsys.readouterr().err == f"{line}\n"
