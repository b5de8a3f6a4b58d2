"""Faults that a generator of styles would go on training with are seen by `check`.

Each is planted, one at a time: styles that scale nothing, weights that are not demodulated, noise
that is not there, a mapping that does not learn. Without them the check passes.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.networks import stylegan2
from jaxgan.networks.layers import modulated

NETWORK = stylegan2.StyleGan2Generator(width=4, units=4, mapping_layers=1)
TOLD = {"image_shape": (8, 8, 1), "train": True, "rngs": {"dropout": jax.random.key(1)}}
LATENTS = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)), jnp.float32)


def variables():
    shapes = jax.eval_shape(
        lambda: NETWORK.init(jax.random.key(0), LATENTS, image_shape=(8, 8, 1), train=False)
    )
    draws = np.random.default_rng(1)
    return jax.tree.map(lambda s: jnp.asarray(draws.normal(size=s.shape), s.dtype), shapes)


def check():
    """Every parameter has a slope, and styles' common factors none in convolutions."""
    given = variables()
    mutable = ["average", "noise"]

    @jax.jit
    def run(params):
        def total(params):
            made, _ = NETWORK.apply({**given, "params": params}, LATENTS, mutable=mutable, **TOLD)
            return jnp.sum(jnp.sin(3.0 * made + 0.5)), made

        return jax.grad(total, has_aux=True)(params)

    slopes, made = run(given["params"])
    for path, leaf in jax.tree_util.tree_leaves_with_path(slopes):
        assert leaf.any(), f"{jax.tree_util.keystr(path)} makes no difference"
    synthesis = dict(given["params"]["synthesis"])
    for name in ("conv_4", "up_8", "conv_8"):
        tenfold = jax.tree.map(lambda leaf: 10 * leaf, synthesis[name]["style"])
        synthesis[name] = {**synthesis[name], "style": tenfold}
    _, again = run({**given["params"], "synthesis": synthesis})
    assert np.abs(again - made).max() < 1e-3 * np.abs(made).max(), "factors of styles are left"


@pytest.mark.slow
def test_as_it_should_be():
    check()


@pytest.mark.slow
def test_styles_that_scale_nothing(monkeypatch):
    right = modulated.modulated_conv

    def wrong(images, kernel, styles, **how):
        return right(images, kernel, jnp.ones_like(styles), **how)

    monkeypatch.setattr(modulated, "modulated_conv", wrong)
    with pytest.raises(AssertionError, match=r"(mapping|style).* makes no difference"):
        check()


@pytest.mark.slow
def test_weights_that_are_not_demodulated(monkeypatch):
    right = modulated.modulated_conv

    def wrong(images, kernel, styles, **how):
        return right(images, kernel, styles, **{**how, "demodulate": False})

    monkeypatch.setattr(modulated, "modulated_conv", wrong)
    with pytest.raises(AssertionError, match="factors of styles are left"):
        check()


@pytest.mark.slow
def test_noise_that_is_not_there(monkeypatch):
    right = modulated.StyledConv._noise
    monkeypatch.setattr(
        modulated.StyledConv, "_noise", lambda *given, **how: 0.0 * right(*given, **how)
    )
    with pytest.raises(AssertionError, match=r"noise_strength.* makes no difference"):
        check()


@pytest.mark.slow
def test_a_mapping_that_does_not_learn(monkeypatch):
    right = stylegan2.StyleMapping.__call__
    monkeypatch.setattr(
        stylegan2.StyleMapping,
        "__call__",
        lambda self, *given, **how: jax.lax.stop_gradient(right(self, *given, **how)),
    )
    with pytest.raises(AssertionError, match=r"mapping.* makes no difference"):
        check()
