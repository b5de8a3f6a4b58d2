import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxgan.data.order import (
    POSITION_LIMIT,
    SIZE_LIMIT,
    _mix,
    check_budget,
    domain_seed,
    epoch_position,
    subset_rows,
)
from jaxgan.data.source import DataError

SIZES = [1, 2, 3, 7, 64, 1500, 60_000]


def epochs(size, seeds, epoch=0):
    """One epoch for each of many seeds, ``(seeds, size)``, from the JAX side."""
    places = jnp.arange(size, dtype=jnp.uint32) + jnp.uint32(epoch * size)
    order = jax.jit(jax.vmap(lambda seed: epoch_position(places, size, seed)))
    return np.asarray(order(jnp.arange(seeds)))


def reference(position, size, seed):
    """The shuffle of Hoang, Morris and Rogaway's figure 1, one number at a time, in plain integers.

    Written from the paper and the constants' documentation, not from the code under test.
    """

    def mix(x):
        x &= 0xFFFFFFFF
        x = ((x ^ (x >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
        x = ((x ^ (x >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
        return x ^ (x >> 16)

    golden, root_2, root_3 = 0x9E3779B9, 0x6A09E667, 0xBB67AE85
    epoch, x = divmod(position, size)
    for i in range(32):
        total = mix(mix(mix(seed + golden) + epoch) + i * root_3) % size
        salt = mix(mix(mix(seed + root_2) + epoch) + i * golden)
        partner = (total - x) % size
        if mix(max(x, partner) ^ salt) >> 31:
            x = partner
    return x


def test_mix_is_the_finalizer_of_murmurhash3():
    # MurmurHash3_x86_32 of the empty string is the finalizer of the seed; these are its published
    # test vectors: seed 0 gives 0, seed 1 gives 0x514E28B7, seed 0xFFFFFFFF gives 0x81F16F39.
    with np.errstate(over="ignore"):
        found = _mix(np.array([0, 1, 0xFFFFFFFF], np.uint32))
    assert found.tolist() == [0, 0x514E28B7, 0x81F16F39]


@pytest.mark.parametrize("size", SIZES)
def test_every_epoch_is_a_permutation(size):
    for epoch in (0, 1, 70):
        places = np.arange(epoch * size, (epoch + 1) * size)
        rows = epoch_position(places, size, seed=3)
        assert rows.dtype == np.int32
        np.testing.assert_array_equal(np.sort(rows), np.arange(size))


@pytest.mark.parametrize("size", [*SIZES, 1_281_167, SIZE_LIMIT - 1, SIZE_LIMIT])
def test_numpy_jax_and_plain_integers_agree(size):
    places = np.random.RandomState(0).randint(0, 2**32, size=64, dtype=np.uint32)
    places[:2] = 0, 2**32 - 1
    traced = jax.jit(lambda places, seed: epoch_position(places, size, seed))
    for seed in (0, 1, 2**31, 2**32 - 1):
        expected = [reference(int(place), size, seed) for place in places]
        np.testing.assert_array_equal(epoch_position(places, size, seed), expected)
        np.testing.assert_array_equal(epoch_position(places.astype(np.int64), size, seed), expected)
        found = traced(jnp.asarray(places), jnp.uint32(seed))
        assert found.dtype == jnp.int32
        np.testing.assert_array_equal(found, expected)


def test_the_documented_example():
    rows = epoch_position(np.arange(10), size=5, seed=0)
    assert rows.tolist() == [3, 1, 2, 4, 0, 3, 2, 0, 4, 1]


def test_seeds_are_taken_modulo_2_32():
    places = np.arange(64)
    for seed in (-1, 2**32 - 1, 2**40 - 1, np.int64(-1)):
        np.testing.assert_array_equal(
            epoch_position(places, 64, seed), epoch_position(places, 64, 2**32 - 1)
        )
    minus_one = epoch_position(jnp.arange(64), 64, jnp.int32(-1))
    np.testing.assert_array_equal(minus_one, epoch_position(places, 64, 2**32 - 1))


def test_inside_scan_vmap_and_pmap():
    places = np.arange(8 * 12)
    expected = epoch_position(places, 7, 5).reshape(8, 12)
    blocks = jnp.asarray(places).reshape(8, 12)
    _, scanned = jax.lax.scan(lambda carry, row: (carry, epoch_position(row, 7, 5)), 0, blocks)
    np.testing.assert_array_equal(scanned, expected)
    mapped = jax.vmap(lambda row, seed: epoch_position(row, 7, seed))(blocks, jnp.full(8, 5))
    np.testing.assert_array_equal(mapped, expected)
    spread = jax.pmap(lambda row: epoch_position(row, 7, 5))(blocks)
    np.testing.assert_array_equal(spread, expected)


def test_epochs_and_seeds_differ():
    size = 1500
    orders = [epoch_position(np.arange(e * size, (e + 1) * size), size, 0) for e in range(4)]
    orders += [epoch_position(np.arange(size), size, seed) for seed in (1, 2, 1500)]
    for first, second in itertools.combinations(orders, 2):
        # Two unrelated permutations agree at one place on average, with a deviation of one.
        assert (first == second).sum() <= 8


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_every_permutation_is_as_likely_as_any_other(size):
    orders = epochs(size, 24_000, epoch=2)
    number = orders @ size ** np.arange(size)
    every = [np.dot(p, size ** np.arange(size)) for p in itertools.permutations(range(size))]
    counts = [(number == p).sum() for p in every]
    assert sum(counts) == 24_000
    assert stats.chisquare(counts).pvalue > 1e-4


def test_no_place_and_no_pair_of_places_is_biased():
    size, seeds = 61, 20_000
    orders = epochs(size, seeds)
    following = epochs(size, seeds, epoch=1)

    def uniform(values, bins):
        return stats.chisquare(np.bincount(values, minlength=bins)).pvalue > 1e-4

    for place in (0, 30, 60):
        assert uniform(orders[:, place], size)
    # Neighbors, two ends, two epochs and two seeds: their difference takes each value alike.
    assert uniform((np.diff(orders, axis=1) % size - 1).ravel(), size - 1)
    assert uniform((orders[:, 0] - orders[:, -1]) % size - 1, size - 1)
    assert uniform((orders[:, 5] - following[:, 5]) % size, size)
    assert uniform((orders[1:, 5] - orders[:-1, 5]) % size, size)
    # Fixed points: one on average, with variance one, whatever the size.
    fixed = (orders == np.arange(size)).sum(1)
    assert abs(fixed.mean() - 1) < 4 / np.sqrt(seeds)
    assert abs(fixed.var() - 1) < 0.1


def test_a_large_order_has_no_trend():
    rows = epoch_position(np.arange(60_000), 60_000, 11)
    for other in (np.arange(60_000), np.roll(rows, 1)):
        assert abs(np.corrcoef(rows, other)[0, 1]) < 4 / np.sqrt(60_000)


@pytest.mark.parametrize("size", [0, -1, SIZE_LIMIT + 1])
def test_sizes_out_of_range(size):
    with pytest.raises(DataError) as error:
        epoch_position(np.arange(2), size, 0)
    assert str(error.value) == (
        f"an order of {size} records was asked for; it takes 1 to 2147483648."
    )


def test_positions_out_of_range():
    for places in ([-1, 5], [0, 2**32]):
        with pytest.raises(DataError) as error:
            epoch_position(np.array(places), 10, 0)
        assert str(error.value) == (
            f"positions {places[0]} to {places[1]} were asked for; "
            "a run has places 0 to 4294967295."
        )
    assert epoch_position(np.array([], np.int64), 10, 0).shape == (0,)


def test_a_subset_has_the_shares_of_the_whole():
    """Ten classes in order, as in a folder: the counts drawn are hypergeometric."""
    rows = subset_rows(13_000, 10_000)
    assert rows.shape == (10_000,)
    assert (np.diff(rows) > 0).all()  # each once, and in order
    assert 0 <= rows[0] < rows[-1] < 13_000
    counts = np.bincount(rows // 1300, minlength=10)
    deviation = stats.hypergeom(13_000, 1300, 10_000).std()
    assert (abs(counts - 1000) < 4 * deviation).all()
    # Nor is it every so manieth row: gaps of draws without replacement are nearly geometric.
    gaps = np.bincount(np.diff(rows))[1:4] / 9999
    np.testing.assert_allclose(gaps, [0.769, 0.178, 0.041], atol=0.015)


def test_a_subset_is_always_the_same_and_all_where_there_is_no_more():
    for size, count in ((1, 1), (1, 5), (7, 7), (10_000, 10_000)):
        np.testing.assert_array_equal(subset_rows(size, count), np.arange(size))
    np.testing.assert_array_equal(subset_rows(10, 4), [3, 4, 6, 7])
    assert subset_rows(10, 0).shape == (0,)
    rows = epoch_position(np.arange(400), 1300, 0)
    # No beginning of a training order: of 400 drawn twice, 123 would be shared by chance.
    assert len(set(subset_rows(1300, 400)) & set(rows.tolist())) < 170


def test_budget():
    check_budget(POSITION_LIMIT // 64, 64)
    with pytest.raises(DataError) as error:
        check_budget(POSITION_LIMIT // 64 + 1, 64)
    assert str(error.value) == (
        "67108865 steps of 64 examples are more than 4294967296, the most that one run can "
        "number: 67108864 steps would fit."
    )


def test_seeds_of_domains():
    # The check value of CRC-32 in "A painless guide to CRC error detection algorithms" (Williams,
    # 1993).
    assert domain_seed(0, "123456789") == 0xCBF43926
    assert domain_seed(0b1010, "123456789") == 0xCBF43926 ^ 0b1010
    assert domain_seed(2**32 + 5, "") == domain_seed(5, "") == 5
    for seed in (0, 77, 2**31 - 1):
        expected = domain_seed(seed, "photo")
        traced = jax.jit(lambda seed: domain_seed(seed, "photo"))(jnp.int32(seed))
        assert traced.dtype == jnp.uint32
        assert int(traced) == expected == domain_seed(np.uint32(seed), "photo")
