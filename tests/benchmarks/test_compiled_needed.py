"""What must move, counted by hand on small cases."""

import jax
import jax.numpy as jnp
import pytest
from compiled.needed import given_and_results, of_products

X, W = jax.ShapeDtypeStruct((2, 3), "float32"), jax.ShapeDtypeStruct((3, 5), "float32")
# Elements of x, w and their product.
PRODUCT = 4 * (6 + 15 + 10)


def loss(w, x):
    return jnp.sum(jnp.tanh(x @ w) ** 2)


def test_a_product_reads_two_and_writes_one():
    assert of_products(jnp.dot, X, W) == PRODUCT
    half = [jax.ShapeDtypeStruct(one.shape, "bfloat16") for one in (X, W)]
    assert of_products(jnp.dot, *half) == PRODUCT // 2


def test_what_lies_between_is_for_nothing():
    assert of_products(lambda x, w: jnp.tanh(x @ w + 1).sum(0), X, W) == PRODUCT
    assert of_products(jnp.tanh, X) == 0


def test_each_direction_counts():
    # Forward, and the gradient of the weights; that of the input is not asked for, or is.
    assert of_products(jax.grad(loss), W, X) == 2 * PRODUCT
    assert of_products(jax.grad(loss, argnums=(0, 1)), W, X) == 3 * PRODUCT


def test_what_nobody_reads_does_not_count():
    def both(x, w):
        return x @ w, jnp.tanh(x)

    assert of_products(lambda x, w: both(x, w)[1], X, W) == 0
    assert of_products(lambda x, w: jax.jit(both)(x, w)[1], X, W) == 0
    assert of_products(lambda x, w: jax.jit(both)(x, w)[0], X, W) == PRODUCT
    # Through what is wanted of an inner program, into what stands before it.
    assert of_products(lambda x, w: jax.jit(both)(x @ w @ w.T, w)[1], X, W) == 2 * PRODUCT
    assert of_products(lambda x, w: jax.jit(both)(x, w @ w.T @ w)[1], X, W) == 0


def test_loops_and_branches():
    square = jax.ShapeDtypeStruct((3, 3), "float32")
    one = 4 * 27

    def scanned(x):
        return jax.lax.scan(lambda z, _: (z @ z, None), x, None, length=4)[0]

    def looped(x):
        return jax.lax.while_loop(lambda z: z.sum() > 0, lambda z: z @ z, x)

    def branched(x):
        return jax.lax.cond(x.sum() > 0, lambda z: z @ z @ z, lambda z: z @ z, x)

    assert of_products(scanned, square) == 4 * one
    assert of_products(looped, square) == one
    assert of_products(branched, square) == 2 * one


def test_a_convolution_is_a_product():
    images = jax.ShapeDtypeStruct((2, 8, 8, 3), "float32")
    kernel = jax.ShapeDtypeStruct((4, 4, 3, 5), "float32")

    def convolve(x, w):
        numbers = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(x, w, (2, 2), "SAME", dimension_numbers=numbers)

    assert of_products(convolve, images, kernel) == 4 * (2 * 64 * 3 + 16 * 15 + 2 * 16 * 5)


@pytest.mark.parametrize(("dtype", "size"), [("uint8", 1), ("bfloat16", 2), ("float32", 4)])
def test_what_is_given_and_given_back(dtype, size):
    batch = jax.ShapeDtypeStruct((7, 3), dtype)
    state = {"w": W, "key": jax.eval_shape(lambda: jax.random.key(0))}
    # The matrix and the key (two words) come and go; the batch comes.
    assert given_and_results(lambda s, b: s, state, batch) == 2 * (60 + 8) + 21 * size
