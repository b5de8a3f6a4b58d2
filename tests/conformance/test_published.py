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
    ("progan", "cifar"): (1_296_908, 1_298_689),
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
    common: dict[str, object] = {"train": False}
    images, labels = jnp.zeros((1, *data.image_shape)), ()
    latents = jax.eval_shape(lambda key: model.prior.draw(key, data.classes), jax.random.key(0))
    latents = jax.tree.map(lambda leaf: jnp.zeros((1, *leaf.shape), leaf.dtype), latents)
    if model.prior.conditional:
        common["classes"], labels = data.classes, (latents["label"],)
    given = (
        (model.generator, (latents,), {"image_shape": data.image_shape}),
        (model.discriminator, (images, *labels), {}),
    )
    counts = []
    for network, inputs, more in given:
        init = jax.eval_shape(
            lambda n=network, i=inputs, m=more: n.init(jax.random.key(0), *i, **common, **m)
        )
        counts.append(sum(leaf.size for leaf in jax.tree.leaves(init["params"])))
    assert PUBLISHED[file, name] in (None, tuple(counts))
