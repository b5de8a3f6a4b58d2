"""Steps of a GAN under an augmentation and penalties that carry a state, worked out by hand."""

import dataclasses
import functools
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from linear_gan import RATE_D, RATE_G, ROWS, as_numbers, close, points, program_of, recorded_step

from jaxgan import rng
from jaxgan.objectives.gan.losses import Wasserstein
from jaxgan.objectives.gan.penalties import R1

SEED, N_CRITIC, WEIGHT = 7, 2, 0.4


@dataclasses.dataclass(frozen=True)
class Stretch:
    """``s x + u``: a factor that follows the discriminator, and a shift of each image."""

    def init(self) -> Any:
        return jnp.float32(0.5)

    def __call__(self, images, keys, state):
        shift = jax.vmap(lambda key: jax.random.uniform(key, (1, 1, 2)))(keys)
        return state * images + shift

    def update(self, state, verdict, count):
        assert verdict.logits.shape == (count,)
        return state + 0.1 * jnp.tanh(jnp.mean(verdict.logits))

    def metrics(self, state):
        return {}

    def check(self, image_shape, dtype):
        assert (image_shape, dtype) == ((1, 1, 2), "float32")


@dataclasses.dataclass(frozen=True)
class Visitor:
    """Costs nothing, counts its visits, and looks at what a view holds."""

    name: ClassVar[str] = "visitor"
    per_example: ClassVar[bool] = False

    every: int = 2

    def init(self) -> Any:
        return {"visits": jnp.float32(0.0), "apart": jnp.float32(0.0)}

    def __call__(self, view, state):
        apart = jnp.abs(view.generate(view.latents) - view.fake).max()
        found = {"visits": state["visits"] + 1.0, "apart": jnp.maximum(state["apart"], apart)}
        return jnp.zeros(view.real.shape[0]), jax.lax.stop_gradient(found)


@functools.cache
def program():
    return program_of(
        loss=Wasserstein(),
        n_critic=N_CRITIC,
        augmentations=(Stretch(),),
        penalties=(R1(WEIGHT), Visitor(every=3)),
    )


@functools.cache
def trained():
    images = points(ROWS * N_CRITIC)
    state, found = program().init(1, {"image": images}), []
    for _ in range(2):
        before = jax.device_get(state)
        state, metrics, latents, shown = recorded_step(program(), state, images, SEED)
        # Images are made once more where a penalty asks for them.
        latents = [z for i, z in enumerate(latents) if not i or (z != latents[i - 1]).any()]
        found.append((before, latents, shown, jax.device_get(state), metrics))
    return found


def shifts(role, step, update):
    """One shift an example, of a key that follows from seed, step, role and place."""
    key = rng.role_key(rng.step_key(rng.base_key(SEED), step), f"{role}-augmentation-0", update)
    keys = [jax.random.fold_in(key, i) for i in range(ROWS)]
    return np.array([jax.random.uniform(k, (1, 1, 2)).ravel() for k in keys], np.float64)


@pytest.mark.parametrize("step", [0, 1])
def test_steps_by_hand(step):
    """Real and generated images are augmented, by draws of their own, and the generator learns
    through it; the state moves with each update, and the generator meets the last one."""
    before, latents, shown, after, metrics = trained()[step]
    assert len(latents) == N_CRITIC
    g = as_numbers(before.players["generator"].params)
    d = as_numbers(before.players["discriminator"].params)
    factor = float(before.extras["augmentations"][0])
    rows = points(ROWS * N_CRITIC).reshape(-1, 2).astype(np.float64)
    for update in range(N_CRITIC):
        real = factor * rows[update::N_CRITIC] + shifts("real", step, update)
        fake = factor * (latents[update] @ g["w"] + g["b"]) + shifts("fake", step, update)
        for images in (real, fake):
            assert any(np.allclose(images, array, atol=1e-5) for array in shown)
        # The slope of the logit of an augmented image is the factor times v.
        penalty = WEIGHT / 2 * factor**2 * (d["v"] ** 2).sum()
        logits = real @ d["v"] + d["c"], fake @ d["v"] + d["c"]
        expected = {
            "loss/discriminator": np.mean(logits[1] - logits[0]) + penalty,
            "logits/real": logits[0].mean(),
            "logits/fake": logits[1].mean(),
            "penalty/r1": penalty,
            "penalty/visitor": 0.0,
        }
        slope = (fake - real).mean(0) + WEIGHT * factor**2 * d["v"]
        # That of c is 0: the loss is a difference of logits.
        expected["discriminator_grad_norm"] = np.linalg.norm(slope)
        d = {"v": d["v"] - RATE_D * slope, "c": d["c"]}
        factor += 0.1 * np.tanh(logits[0].mean())
    made = latents[-1] @ g["w"] + g["b"]
    fake = factor * made + shifts("fake", step, N_CRITIC)
    expected["loss/generator"] = -np.mean(fake @ d["v"] + d["c"])
    to_made = np.tile(-factor * d["v"] / ROWS, (ROWS, 1))
    expected["generator_grad_norm"] = np.hypot(
        np.linalg.norm(latents[-1].T @ to_made), np.linalg.norm(to_made.sum(0))
    )
    close(metrics, expected)
    close(after.players["discriminator"].params, d)
    close(
        after.players["generator"].params,
        {"w": g["w"] - RATE_G * latents[-1].T @ to_made, "b": g["b"] - RATE_G * to_made.sum(0)},
    )
    close(after.extras["augmentations"], (factor,))


def test_penalties_keep_their_state_and_see_the_images_of_their_latents():
    """Of the updates 0 to 3, the first and the last are due; without a state there is none."""
    for (_, _, _, state, _), visits in zip(trained(), (1, 2), strict=True):
        stateless, seen = state.extras["penalties"]
        assert stateless == ()
        assert float(seen["visits"]) == visits
        assert float(seen["apart"]) < 1e-5
