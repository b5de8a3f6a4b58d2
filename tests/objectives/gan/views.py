"""What penalties see in their tests."""

import jax.numpy as jnp

from jaxgan import rng
from jaxgan.objectives.gan.penalties import View
from jaxgan.objectives.gan.verdict import Verdict


def view(critic, real, fake, share=None):
    """A view of one update of a critic that returns plain logits.

    A head and features with slopes of their own are added, which no penalty on logits may see.
    """

    def judged(images):
        return Verdict(critic(images), {"class": 7.0 * images[:, 0, 0]}, (jnp.square(images),))

    def draw(role, one):
        if share is None:
            return rng.per_example(one, rng.role_key(rng.base_key(7), role), real.shape[0])
        assert role == "share"
        return share

    def generate(latents):
        raise AssertionError("a penalty on given images generates none")

    return View(judged, real, fake, generate, None, draw, fake_critic=judged)
