"""bfloat16 is the format of the networks' arithmetic, and of nothing else, in every experiment."""

import dataclasses
import functools
import importlib
import pkgutil
import typing
from collections import Counter
from collections.abc import Iterator
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from discovery import Counted, small
from jax.extend.core import Primitive
from test_experiments import EXPERIMENTS

from jaxgan import config
from jaxgan.algorithms.base import build
from jaxgan.networks import layers
from jaxgan.networks.layers import options as layer_options
from jaxgan.program import compile_program, example_batch
from jaxgan.run import experiment_file

FAST = {"acgan", "conv_beta_vae", "cvae", "dcgan"}
"""Those that are looked at without CI."""


def made_of(path):
    """What decides which arithmetic there is: the model's class, and those of its networks."""
    model = experiment_file.load_experiment(path).model
    parts = {
        field.name: getattr(model, field.name)
        for field in dataclasses.fields(model)
        if field.name in ("penalties", "augmentations", "likelihood", "posterior", "code_prior")
        or isinstance(getattr(model, field.name), nn.Module)
    }

    def kinds(value):
        if isinstance(value, tuple):
            return tuple(map(kinds, value))
        inner = value.body if hasattr(value, "body") else None
        return (type(value), kinds(inner)) if inner is not None else type(value)

    return type(model), *sorted((name, str(kinds(value))) for name, value in parts.items())


def first_of_each():
    """Of experiments that are made of the same parts, one: a fast one if there is."""
    found = {}
    for path in sorted(EXPERIMENTS, key=lambda path: path.stem not in FAST):
        found.setdefault(made_of(path), path)
    return sorted(found.values())


CASES = [
    pytest.param(path, id=path.stem, marks=() if path.stem in FAST else pytest.mark.slow)
    for path in first_of_each()
]
EVERY = pytest.mark.parametrize("path", CASES)
PRECISIONS = typing.get_args(config.Precision)
HEADS = (
    *("LogitHead", "GaussianHead", "ClassHead", "ProjectionHead", "VectorHead", "CodesHead"),
    *("EmbeddingHead", "TwinHead", "ConditionalBatchNorm", "ModulatedBatchNorm", "ClassEmbedding"),
    *("Pairs", "spectral_product"),
    *("augmentation", "autoregressive", "codebook", "similarity"),
    *("/mapping", "/style", "demodulation", "/conv_4", "/image_4", "/end_"),
    *("GenerativeBasis", "DiscriminativeBasis", "ProganDiscriminator._score"),
)
"""Last layers, which compute in float32, the scales that a class has in normalization, losses that
compare images, the largest singular values of weights, augmentations, codebooks, flows, and
StyleGAN2's mapping, styles and coarsest resolution, and the ends of R3GAN and ProGAN."""

PRODUCTS = {"dot_general", "conv_general_dilated"} | {
    value.name
    for module in pkgutil.iter_modules(layers.__path__, f"{layers.__name__}.")
    for value in vars(importlib.import_module(module.name)).values()
    if isinstance(value, Primitive)
}
"""Primitives that multiply matrices or convolve."""


def at(path, precision="bfloat16"):
    return dataclasses.replace(experiment_file.load_experiment(path), precision=precision)


def batch_of(experiment):
    return {
        name: jax.ShapeDtypeStruct((experiment.images_per_step, *shape), dtype)
        for name, (shape, dtype) in experiment.data.specs.items()
    }


def dtypes(tree):
    leaves = jax.tree.leaves(tree)
    assert leaves
    return {leaf.dtype.name for leaf in leaves}


class Equation(typing.NamedTuple):
    """One operation of a traced function, with the modules that it belongs to."""

    primitive: str
    scope: str
    operands: list[str]
    results: list[str]


def equations(jaxpr: Any, scope: str = "") -> Iterator[Equation]:
    """All operations, those of functions that are called included."""

    def types(variables):
        return [v.aval.dtype.name for v in variables if hasattr(v.aval, "dtype")]

    for equation in jaxpr.eqns:
        inside = f"{scope}/{equation.source_info.name_stack}"
        name = equation.primitive.name
        if name == "reduce_sum" and equation.invars[0].aval.size == equation.outvars[0].aval.size:
            # Of one term each: `vmap` transposed.
            name = "reshape"
        yield Equation(name, inside, types(equation.invars), types(equation.outvars))
        for value in equation.params.values():
            for inner in value if isinstance(value, tuple | list) else (value,):
                if hasattr(inner := getattr(inner, "jaxpr", inner), "eqns"):
                    yield from equations(inner, inside)


class Traced(typing.NamedTuple):
    """A train step that was traced: all its operations, and what it is given and returns."""

    equations: list[Equation]
    state: Any
    after: Any
    metrics: Any
    stays: bool
    """Whether each leaf of the state keeps its shape, type and weak type, so that the next step
    needs no other program."""


@functools.cache
def traced(path, precision="bfloat16") -> Traced:
    """The train step of an experiment."""
    experiment = at(path, precision)
    algorithm, key = build(experiment), jax.random.key(0)
    state = jax.eval_shape(algorithm.init, key, example_batch(experiment))
    closed, (after, metrics) = jax.make_jaxpr(algorithm.phases[0].train_step, return_shape=True)(
        state, batch_of(experiment), key
    )
    kept, given = (
        [(leaf.shape, leaf.dtype, leaf.weak_type) for leaf in leaves]
        for leaves in (closed.out_avals, jax.tree.leaves(state))
    )
    stays = jax.tree.structure(after) == jax.tree.structure(state) and kept[: len(given)] == given
    return Traced(list(equations(closed.jaxpr)), state, after, metrics, stays)


def test_the_known_ones_are_found():
    assert {"convolve", "spread", "compare"} < PRODUCTS


def test_both_lists_of_precisions_agree():
    """That of experiments and that of networks, which do not import each other."""
    assert typing.get_args(layer_options.Precision) == PRECISIONS == ("float32", "bfloat16")


@EVERY
def test_states_and_results_are_float32(path):
    """Parameters, statistics, averages, optimizers, metrics, evaluation; images are bytes."""
    experiment = at(path)
    algorithm, key, batch = build(experiment), jax.random.key(0), batch_of(experiment)
    _, state, after, metrics, stays = traced(path)
    assert stays
    assert dtypes(state) == dtypes(after) == {"int32", "float32"}
    assert dtypes(state.parameters) == dtypes(metrics) == {"float32"}
    sums = jax.eval_shape(algorithm.evaluate, state, batch, key)
    assert {leaf.dtype.name for leaf in jax.tree.leaves(sums)} <= {"float32"}
    latents = jax.eval_shape(lambda k: algorithm.generation.prior(k, 2), key)
    assert jax.eval_shape(algorithm.generation.pixels, state, latents).dtype == jnp.float32


@EVERY
def test_products_take_bfloat16(path):
    """Every product of hidden layers, forward, backward and twice backward; heads take float32."""
    found = Counter()
    for equation in traced(path).equations:
        if equation.primitive in PRODUCTS:
            is_head = any(head in equation.scope for head in HEADS)
            expected = "float32" if is_head else "bfloat16"
            assert set(equation.operands) == {expected}, equation
            found[is_head] += 1
    assert min(found[True], found[False]) >= 3
    for equation in traced(path, "float32").equations:
        assert "bfloat16" not in (*equation.operands, *equation.results)


@EVERY
def test_nothing_else_does(path):
    """bfloat16 stays inside the networks' hidden layers, and nothing is summed up in it."""
    model = experiment_file.load_experiment(path).model
    values = [getattr(model, field.name) for field in dataclasses.fields(model)]
    # The top level of a scope is the class of a network, or of what holds an autoencoder's two.
    names = {type(value).__name__ for value in values if isinstance(value, nn.Module)}
    names |= {"encoder", "decoder"}
    for equation in traced(path).equations:
        if "bfloat16" in (*equation.operands, *equation.results):
            assert any(name in equation.scope for name in names), equation
        if equation.primitive in ("reduce_sum", "psum", "cumsum"):
            assert "bfloat16" not in equation.operands, equation


def as_normalized(network, before):
    """The network with batch norm where it was; `small` has it wherever a network can."""
    changes = {}
    for field in dataclasses.fields(network):
        value = getattr(before, field.name, None)
        if field.name == "batch_norm":
            changes[field.name] = value
        elif field.name != "parent" and isinstance(value, nn.Module):
            changes[field.name] = as_normalized(getattr(network, field.name), value)
    return network.copy(**changes)


def reduced(model):
    """The same model with few units and, where it makes several critic updates a step, two."""
    changes = {}
    for field in dataclasses.fields(model):
        if isinstance(value := getattr(model, field.name), nn.Module):
            changes[field.name] = as_normalized(small(value), value)
    if getattr(model, "n_critic", 1) > 1:
        changes["n_critic"] = 2
    return dataclasses.replace(model, **changes)


def that_compute_apart():
    """One of those with the same networks and penalties: nothing else computes in bfloat16."""
    found = {}
    for path in sorted(first_of_each(), key=lambda path: path.stem not in FAST):
        model, *parts = made_of(path)
        others = ("augmentations", "likelihood", "posterior", "code_prior")
        found.setdefault((model, *(part for part in parts if part[0] not in others)), path)
    return found.values()


@pytest.mark.parametrize(
    "path", [param for param in CASES if param.values[0] in that_compute_apart()]
)
def test_compiled_once(path):
    """In bfloat16: in float32, the laws of the algorithms say so, and each is trained.

    Several steps with two seeds are one compilation, and all they leave behind is finite.
    """
    experiment = at(path)
    counted = Counted(reduced(experiment.model))
    experiment = dataclasses.replace(experiment, model=counted, batch_size=8)
    program = compile_program(experiment, "none")
    draws = np.random.default_rng(0)
    arrays = program.plan.replicate(
        {
            name: draws.integers(0, 256 if dtype == "uint8" else 2, (40, *shape)).astype(dtype)
            for name, (shape, dtype) in experiment.data.specs.items()
        }
    )
    start = jax.device_get(program.init(0, example_batch(experiment)))
    for seed in (3, 11):
        state = program.plan.replicate(start)
        number = program.plan.replicate(np.asarray(seed, np.uint32))
        for _ in range(3):
            state, metrics = program.phases[0].resident_step(state, arrays, number)
        leaves = jax.tree.leaves(jax.device_get((state, metrics)))
        assert all(np.isfinite(leaf).all() for leaf in leaves)
    assert counted.traces == [("bfloat16", None)]
    assert program.phases[0].resident_step._cache_size() == 1
