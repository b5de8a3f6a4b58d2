"""StyleGAN2's step with labels and augmentations, against its losses recomputed."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny_stylegan2 import BATCH, EXPERIMENT, IMAGES, KEY, MODEL, WEIGHT

from jaxgan import rng
from jaxgan.algorithms.base import build
from jaxgan.data.pipeline import Data
from jaxgan.networks.stylegan2 import LabelledStyleGan2Generator
from jaxgan.networks.stylegan2_discriminator import LabelledStyleGan2Discriminator
from jaxgan.objectives.priors import Labelled, Normal
from jaxgan.program import example_batch

LABELS = np.array([3, 1, 4, 1], np.int32)


@dataclasses.dataclass(frozen=True)
class Dimming:
    """An augmentation that is the same for all images: times 1 - p, and p follows the logits."""

    def check(self, image_shape, dtype):
        pass

    def init(self):
        return jnp.float32(0.25)

    def __call__(self, images, keys, state):
        return images * (1.0 - state)

    def update(self, state, verdict, count):
        return state + jnp.mean(jnp.sign(verdict.logits)) * count / 1000.0

    def metrics(self, state):
        return {"dimming": state}


@pytest.mark.slow
def test_labels_and_augmentations_reach_every_update():
    model = dataclasses.replace(
        MODEL,
        generator=LabelledStyleGan2Generator(width=4, units=4, mapping_layers=1),
        discriminator=LabelledStyleGan2Discriminator(width=4),
        prior=Labelled(Normal(3)),
        augmentations=(Dimming(),),
        path_lengths=(),
    )
    data = Data(classes=10)
    experiment = dataclasses.replace(EXPERIMENT, model=model, data=data)
    algorithm = build(experiment)
    state = jax.jit(algorithm.init)(jax.random.key(0), example_batch(experiment))
    batch = {"image": IMAGES, "label": LABELS}
    # The third step has R1 in it.
    new, metrics = jax.jit(algorithm.phases[0].train_step)(
        state.replace(step=jnp.int32(3)), batch, KEY
    )
    made, judged = (state.players[name] for name in ("generator", "discriminator"))
    real = jnp.asarray(IMAGES, jnp.float32) / 127.5 - 1.0

    def fakes(params, role):
        key = rng.role_key(KEY, f"{role}-latent")
        latents = rng.per_example(lambda k: model.prior.draw(k, 10), key, BATCH)
        images, _ = model.generator.apply(
            {**made.variables, "params": params}, latents, image_shape=(8, 8, 1), classes=10,
            train=True, rngs={"dropout": rng.role_key(KEY, f"{role}-noise")}, mutable="average",
        )  # fmt: skip
        return images, latents["label"]

    def logits(params, shown, labels):
        return model.discriminator.apply(
            {"params": params}, 0.75 * shown, jnp.asarray(labels), classes=10, train=True
        )

    @jax.jit
    def expected():
        first, second = (
            fakes(params, role)
            for params, role in (
                (made.params, "generator"),
                (new.players["generator"].params, "discriminator"),
            )
        )
        on_real = logits(judged.params, real, LABELS)
        g = jnp.mean(jnp.log1p(jnp.exp(-logits(judged.params, *first))))
        d = jnp.mean(
            jnp.log1p(jnp.exp(-on_real)) + jnp.log1p(jnp.exp(logits(judged.params, *second)))
        )
        # Both networks would say otherwise of other labels.
        others = [
            jnp.mean(logits(judged.params, real, LABELS[::-1].copy())) - jnp.mean(on_real),
            jnp.mean(logits(judged.params, second[0], (second[1] + 1) % 10)) - jnp.mean(on_real),
        ]
        return g, d, jnp.mean(jnp.sign(on_real)), others

    g, d, sign, others = expected()
    np.testing.assert_allclose(metrics["loss/generator"], g, rtol=1e-4)
    np.testing.assert_allclose(metrics["loss/discriminator"], d, rtol=1e-4)
    assert np.abs(others).min() > 1e-4
    np.testing.assert_allclose(
        new.extras["augmentations"][0], 0.25 + sign * BATCH / 1000, rtol=1e-6
    )
    np.testing.assert_allclose(metrics["dimming"], new.extras["augmentations"][0])
    assert metrics["penalty/r1"] > 0


@pytest.mark.slow
def test_r1_is_of_images_as_they_were_before_the_augmentation():
    """Its slope is that of the dimmed image times the dimming."""
    model = dataclasses.replace(MODEL, path_lengths=(), augmentations=(Dimming(),))
    algorithm = build(dataclasses.replace(EXPERIMENT, model=model))
    state = jax.jit(algorithm.init)(jax.random.key(0), example_batch(EXPERIMENT))
    train_step = jax.jit(algorithm.phases[0].train_step)

    def after(step):
        return train_step(state.replace(step=jnp.int32(step)), {"image": IMAGES}, KEY)

    # The penalty is of the discriminator after its own update.
    updated = after(1)[0].players["discriminator"]
    real = jnp.asarray(IMAGES, jnp.float32) / 127.5 - 1.0
    slope = jax.grad(
        lambda images: jnp.sum(
            MODEL.discriminator.apply({"params": updated.params}, 0.75 * images, train=True)
        )
    )(real)
    expected = 0.5 * WEIGHT * float(jnp.mean(jnp.sum(slope**2, axis=(1, 2, 3))))
    np.testing.assert_allclose(after(3)[1]["penalty/r1"], expected, rtol=1e-3)
