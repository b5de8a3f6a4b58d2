"""What every algorithm promises of its functions, without a step being compiled."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from laws import CASES, DISTINCT, EVERY, algorithm_of, assert_equal, rows_of, structure

from jaxgan import rng
from jaxgan.measurement import available
from jaxgan.measurement.snapshots import needed
from jaxgan.program import example_batch


def shapes(*shape, dtype=jnp.float32):
    return jax.ShapeDtypeStruct(shape, dtype)


@EVERY
def test_a_step_keeps_structure_shapes_types_and_weak_types(name):
    """And so does entering a phase; metrics are numbers."""
    experiment, algorithm = CASES[name].experiment, algorithm_of(name)
    key, batch = jax.random.key(0), rows_of(experiment, 0, experiment.images_per_step)
    state = jax.eval_shape(algorithm.init, key, example_batch(experiment))
    assert structure(state.step) == ((), "int32", False)
    for phase in algorithm.phases:
        entered = state if phase.enter is None else jax.eval_shape(phase.enter, state)
        after, metrics = jax.eval_shape(phase.train_step, state, batch, key)
        assert metrics
        assert {structure(leaf) for leaf in metrics.values()} == {((), "float32", False)}
        for other in (entered, after):
            assert jax.tree.structure(other) == jax.tree.structure(state)
            assert structure(other) == structure(state)
    assert state.ema.keys() <= state.players.keys()
    for params in state.parameters.values():
        assert jax.tree.leaves(params)


@DISTINCT
def test_capabilities_give_the_shapes_that_they_promise(name):
    """Everything of the contract works under `jax.eval_shape`."""
    experiment, algorithm = CASES[name].experiment, algorithm_of(name)
    key, rows, shape = jax.random.key(0), 5, experiment.data.image_shape
    state = jax.eval_shape(algorithm.init, key, example_batch(experiment))
    batch = {**rows_of(experiment, 0, rows), "mask": np.ones(rows, np.float32)}
    images = structure(shapes(rows, *shape))
    sums = jax.eval_shape(algorithm.evaluate, state, batch, key)
    assert {structure(leaf)[:2] for pair in sums.values() for leaf in pair} <= {((), "float32")}
    if generation := algorithm.generation:
        latents = jax.eval_shape(lambda k: generation.prior(k, rows), key)
        assert {leaf.shape[0] for leaf in jax.tree.leaves(latents)} == {rows}
        assert structure(jax.eval_shape(generation.pixels, state, latents)) == images
        if generation.normalized is not None:
            made, found = jax.eval_shape(generation.normalized, state, latents, key)
            assert structure(made) == images
            if state.is_batch_normalized:
                # What is found takes the place of what was there.
                assert structure(state.with_statistics(found)) == structure(state)
        kept = needed(algorithm, state, experiment.evaluation)
        alone = jax.tree_util.tree_map_with_path(
            lambda path, leaf: (
                leaf if jax.tree_util.keystr(path, simple=True, separator="/") in kept else None
            ),
            state,
        )
        assert structure(jax.eval_shape(generation.pixels, alone, latents)) == images
        others = ["opt_state", "discriminator", "/critic/"]
        # The components of a VampPrior are encoded when codes are drawn from them.
        others += [] if "vamp-prior" in name else ["/encoder/"]
        assert not [path for path in kept if any(one in path for one in others)]
        for change in (
            generation.project,
            generation.truncate and (lambda z: generation.truncate(z, 0.5)),
            generation.with_labels and (lambda z: generation.with_labels(z, generation.labels(z))),
            generation.between and (lambda z: generation.between(z, z, jnp.linspace(0, 1, rows))),
        ):
            if change is not None:
                assert structure(jax.eval_shape(change, latents)) == structure(latents)
        columns = {}

        def sheets(key):
            found = generation.sheets(key)
            columns.update({sheet: one.columns for sheet, one in found.items()})
            return {sheet: one.latents for sheet, one in found.items()}

        for sheet, shown in jax.eval_shape(sheets, key).items():
            (count,) = {leaf.shape[0] for leaf in jax.tree.leaves(shown)}
            assert count % columns[sheet] == 0, sheet
            one, other = (
                jax.tree.map(lambda leaf: (leaf.shape[1:], leaf.dtype.name), tree)
                for tree in (shown, latents)
            )
            assert one == other, sheet
            made = jax.eval_shape(generation.pixels, state, shown)
            assert structure(made) == structure(shapes(count, *shape))
    for translation in algorithm.translations.values():
        made = jax.eval_shape(translation.translate, state, batch, key)
        assert made.shape == (rows, *experiment.data.specs[translation.target].shape)
        assert translation.source in batch
    if encoding := algorithm.encoding:
        assert structure(jax.eval_shape(encoding.reconstruct, state, batch)) == images
        if encoding.codes is not None:
            codes = jax.eval_shape(encoding.codes, state, batch)
            assert (codes.shape[0], codes.ndim) == (rows, 2)
            if encoding.draw is not None:
                drawn = jax.eval_shape(encoding.draw, state, batch, key)
                assert structure(drawn) == structure(codes)
            if encoding.decode is not None:
                assert structure(jax.eval_shape(encoding.decode, state, codes)) == images


@DISTINCT
def test_needs_that_are_there_are_met(name):
    """Whatever a metric may count on, as `jaxgan.measurement.available` says, works."""
    experiment, algorithm = CASES[name].experiment, algorithm_of(name)
    there, key, rows = available.has(algorithm), jax.random.key(0), 5
    assert there, "a model that nothing can be measured of"
    state = jax.eval_shape(algorithm.init, key, example_batch(experiment))
    batch = {**rows_of(experiment, 0, rows), "mask": np.ones(rows, np.float32)}
    values = structure(shapes(rows))
    if "codes" in there:
        codes = jax.eval_shape(algorithm.encoding.codes, state, batch)
        assert structure(codes)[1] == "float32"
        assert codes.shape == (rows, codes.shape[1])
        if "images alone" in there:
            alone = jax.eval_shape(algorithm.encoding.codes, state, {"image": batch["image"]})
            assert structure(alone) == structure(codes)
    if "encoder" in there:
        mean, log_variance = jax.eval_shape(algorithm.encoding.posterior, state, batch)
        assert structure(mean) == structure(log_variance)
        assert mean.shape == (rows, mean.shape[1])
        if "images alone" in there:
            alone = {"image": batch["image"]}
            found = jax.eval_shape(algorithm.encoding.posterior, state, alone)
            assert structure(found) == structure((mean, log_variance))
        if "codes" in there:
            assert structure(codes) == structure(mean)
        if "likelihood" in there:
            found = jax.eval_shape(algorithm.density.log_likelihood, state, batch, mean)
            assert structure(found) == values
            assert algorithm.density.kind
    if "likelihood" in there and "code densities" in there and "encoder" not in there:
        found = jax.eval_shape(algorithm.density.log_weight, state, batch, key)
        assert structure(found) == values
    if "annealing" in there and algorithm.density is not None:
        drawn = jax.eval_shape(lambda s, k: algorithm.density.draw(s, k, rows), state, key)
        found = jax.eval_shape(algorithm.density.log_likelihood, state, batch, drawn)
        assert structure(found) == values
        assert structure(jax.eval_shape(algorithm.density.log_prior, state, drawn)) == values
    if "samples" in there:
        latents = jax.eval_shape(lambda k: algorithm.generation.prior(k, rows), key)
        if "labels" in there:
            found = jax.eval_shape(algorithm.generation.labels, latents)
            assert structure(found)[:2] == ((rows,), "int32")
    # Anything else is a need that this test does not know of.
    known = {
        *("samples", "generator", "labels"),
        *("codes", "encoder", "images alone", "likelihood", "code densities"),
        "annealing",
    }
    assert there <= known


def labelled(name):
    generation = algorithm_of(name).generation
    return generation is not None and generation.labels is not None


@pytest.mark.parametrize("name", [name for name in CASES if labelled(name)])
def test_labels_are_those_that_were_asked_for(name):
    generation = algorithm_of(name).generation
    latents = generation.prior(rng.base_key(1), 6)
    labels = jnp.asarray([3, 0, 0, 9, 1, 2], jnp.int32)
    assert (generation.labels(latents) != labels).any()
    changed = generation.with_labels(latents, labels)
    assert_equal(generation.labels(changed), labels)
    # Everything else is as it was.
    assert_equal(generation.with_labels(changed, generation.labels(latents)), latents)


@pytest.mark.parametrize("name", [name for name in CASES if not labelled(name)])
def test_nobody_gives_labels_to_latents_that_have_none(name):
    generation = algorithm_of(name).generation
    assert generation is None or generation.with_labels is None
