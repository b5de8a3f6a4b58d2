"""Published configurations, which nobody trains here, run in outline: shapes alone."""

import jax
import jax.numpy as jnp
import pytest
from test_experiments import FOLDER, outline

from jaxgan.data.sources.digits import Digits
from jaxgan.run import experiment_file

# Parameters of generator and discriminator, from the codes that they are of; at 64 pixels, and with
# attention at a quarter of the size, no count is published.
PUBLISHED = {
    ("biggan", "cifar"): (9_416_196, 2_415_170),
    ("biggan", "cifar_without_attention"): (4_304_387, 4_207_361),
    ("biggan", "tiny_imagenet"): None,
    ("biggan", "imagenet"): (70_433_988, 87_982_370),
    ("sagan", "cifar"): (4_386_308, 1_075_586),
    ("sagan", "imagenet"): None,
}
pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("file", "name"), PUBLISHED)
def test_in_outline(file, name):
    """The first state, a step at the published batch, samples and an evaluation."""
    made = getattr(experiment_file.load_file(FOLDER / f"{file}.py"), name)
    experiment = made(Digits()) if name == "tiny_imagenet" else made()
    outline(experiment)
    model, data = experiment.model, experiment.data
    label = jnp.zeros(1, jnp.int32)
    latents = {"noise": jnp.zeros((1, model.prior.noise.size)), "label": label}
    common = {"classes": data.classes, "train": False}
    given = (
        (model.generator, (latents,), {"image_shape": data.image_shape}),
        (model.discriminator, (jnp.zeros((1, *data.image_shape)), label), {}),
    )
    counts = []
    for network, inputs, more in given:
        init = jax.eval_shape(
            lambda n=network, i=inputs, m=more: n.init(jax.random.key(0), *i, **common, **m)
        )
        counts.append(sum(leaf.size for leaf in jax.tree.leaves(init["params"])))
    assert PUBLISHED[file, name] in (None, tuple(counts))
