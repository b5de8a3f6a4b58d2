"""The order of training, as a pure function: which record stands at which place, in every epoch.

Nothing is shuffled in memory and nothing has to be saved: place 0, 1, 2, ... of a run holds the
record that `epoch_position` computes from the place and the seed. A run that goes on at step n
therefore sees what it would have seen, and so does one that spreads over other devices.

The permutation of an epoch is the swap-or-not shuffle of "An enciphering scheme based on a card
shuffle" (Hoang, Morris and Rogaway, CRYPTO 2012, arXiv:1208.1176), figure 1: in each round a record
x and its partner K - x (mod size) change places where a coin that both of them see says so. It
permutes a range of any size at all, with a fixed number of rounds and no tables. Its coins and keys
come from the finalizer of MurmurHash3 (Austin Appleby, in the public domain). All arithmetic is on
32 unsigned bits, alike in NumPy and in JAX.
"""

from __future__ import annotations

import zlib
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int32, Integer

from jaxgan.data.source import DataError

POSITION_LIMIT = 2**32
"""Places in a run: positions are 32 unsigned bits. At this many images (over 71,000 epochs of
60,000) the order would start again from the first epoch."""

SIZE_LIMIT = 2**31
"""Records in a split: twice an index must fit into 32 bits."""

# One bit of a coin per round separates a record from its partner. After 32 rounds the chance of a
# record that no round has moved is 2^-32; the tests look for bias in pairs of neighbors as well.
_ROUNDS = 32

# The fractional parts of the golden ratio, of sqrt(2) and of sqrt(3), as 32 bits: unrelated odd
# numbers that keep the streams for seeds, epochs and rounds apart.
_GOLDEN = 0x9E3779B9
_ROOT_2 = 0x6A09E667
_ROOT_3 = 0xBB67AE85

# Which images measurements draw must not change from one run's seed to the next, nor be the start
# of an order of training.
_SUBSET_SEED = 0x5B5E7


def epoch_position(
    position: Integer[Array, "*shape"] | Integer[np.ndarray, "*shape"],
    size: int,
    seed: int | np.integer | Integer[Array, ""],
) -> Int32[Array, "*shape"] | Int32[np.ndarray, "*shape"]:
    """The records that stand at some places of a run.

    Place ``p`` lies in epoch ``p // size``. Every epoch is a permutation of ``range(size)`` that
    depends on the seed and the epoch alone.

    >>> epoch_position(np.arange(10), size=5, seed=0)
    array([3, 1, 2, 4, 0, 3, 2, 0, 4, 1], dtype=int32)

    Args:
        position: places, 0 to `POSITION_LIMIT` - 1. They never start again from 0: place ``p`` of
            step ``n`` is ``n * batch_size + p``. NumPy's or JAX's; JAX's may be traced.
        size: number of records, 1 to `SIZE_LIMIT`.
        seed: taken modulo 2^32; may be traced (and mapped over by `jax.vmap`).

    Returns:
        Indices of records, 0 to ``size - 1``; JAX's where a JAX array was given, with the same
        values as NumPy's.

    Raises:
        DataError: ``size`` is out of range, or a position of NumPy's is.
    """
    if not 1 <= size <= SIZE_LIMIT:
        raise DataError(f"an order of {size} records was asked for; it takes 1 to {SIZE_LIMIT}.")
    seed = seed.astype(jnp.uint32) if isinstance(seed, jax.Array) else np.uint32(seed % 2**32)
    if isinstance(position, jax.Array) or isinstance(seed, jax.Array):
        return _permuted(jnp.asarray(position).astype(jnp.uint32), jnp.asarray(seed), size, jnp)
    if position.size and not 0 <= position.min() <= position.max() < POSITION_LIMIT:
        raise DataError(
            f"positions {position.min()} to {position.max()} were asked for; "
            f"a run has places 0 to {POSITION_LIMIT - 1}."
        )
    # Arithmetic modulo 2^32 is what is wanted; NumPy warns of it for scalars.
    with np.errstate(over="ignore"):
        return _permuted(np.asarray(position).astype(np.uint32), seed, size, np)


def subset_rows(size: int, count: int) -> Int32[np.ndarray, "rows"]:
    """Rows of a random subset that is always the same one: all that measures a part of a set.

    The first rows would be no sample of it: files stand in the order of their classes.

    >>> subset_rows(10, 4), subset_rows(3, 4)
    (array([3, 4, 6, 7], dtype=int32), array([0, 1, 2], dtype=int32))

    Args:
        size: examples of the set, 1 to `SIZE_LIMIT`.
        count: how many are wanted; all of the set, as they are, where it has no more.

    Returns:
        Row numbers, each at most once and the smallest first, so that files are read front to back.

    Raises:
        DataError: ``size`` is out of range.
    """
    if count >= size:
        return np.arange(size, dtype=np.int32)
    return np.sort(np.asarray(epoch_position(np.arange(count), size, _SUBSET_SEED)))


def domain_seed(
    seed: int | np.integer | Integer[Array, ""], domain: str
) -> int | Integer[Array, ""]:
    """The seed of one domain's order: the run's, ``xor`` the CRC-32 of the domain's name.

    Domains of equal length would else be in step with each other. The CRC-32 of no name is 0, so
    what belongs to no domain keeps the seed itself.

    Args:
        seed: of the run; may be traced.
        domain: its name; empty for what belongs to none.
    """
    name = zlib.crc32(domain.encode())
    if isinstance(seed, jax.Array):
        return seed.astype(jnp.uint32) ^ np.uint32(name)
    return int(seed) % 2**32 ^ name


def check_budget(steps: int, batch_size_global: int) -> None:
    """Checks, before a run, that all its places are numbered.

    Raises:
        DataError: ``steps`` batches hold more than `POSITION_LIMIT` examples.
    """
    if steps * batch_size_global > POSITION_LIMIT:
        raise DataError(
            f"{steps} steps of {batch_size_global} examples are more than {POSITION_LIMIT}, the "
            f"most that one run can number: {POSITION_LIMIT // batch_size_global} steps would fit."
        )


def _mix(x: Any) -> Any:
    """MurmurHash3's 32-bit finalizer: a bijection in which every bit sways every other."""
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return x ^ (x >> np.uint32(16))


def _permuted(position: Any, seed: Any, size: int, xp: ModuleType) -> Any:
    """`epoch_position` on uint32 arrays of ``xp``, which is NumPy or jax.numpy."""
    if size == 1:
        # Remainders by one crash the compiler of JAX 0.10 on CPUs.
        return xp.zeros(position.shape, xp.int32)
    n = np.uint32(size)
    epoch, place = position // n, position % n
    sums = _mix(_mix(seed + np.uint32(_GOLDEN)) + epoch)
    coins = _mix(_mix(seed + np.uint32(_ROOT_2)) + epoch)

    def swap_or_not(i: Any, x: Any) -> Any:
        partner = _mix(sums + i * np.uint32(_ROOT_3)) % n + (n - x)
        partner = xp.where(partner >= n, partner - n, partner)
        # Both partners toss the coin of the larger of the two, so both move or neither does.
        coin = _mix(xp.maximum(x, partner) ^ _mix(coins + i * np.uint32(_GOLDEN)))
        return xp.where(coin >> np.uint32(31) == np.uint32(1), partner, x)

    if xp is np:
        for i in range(_ROUNDS):
            place = swap_or_not(np.uint32(i), place)
    else:
        # A loop compiles faster, and on CPUs runs faster, than 32 rounds written out. Four rounds
        # at a time save a GPU most of its launches.
        place = jax.lax.fori_loop(
            0, _ROUNDS, lambda i, x: swap_or_not(i.astype(xp.uint32), x), place, unroll=4
        )
    return place.astype(xp.int32)
