"""Wavelet filters, held to their definition: roots of Daubechies' polynomial, chosen for phase."""

import itertools
from math import comb

import numpy as np
import pytest

from jaxgan.objectives.gan.wavelets import SYM2, SYM6

BOTH = pytest.mark.parametrize("taps", [SYM2, SYM6], ids=["sym2", "sym6"])


@BOTH
def test_orthonormal(taps):
    taps = np.array(taps)
    assert taps.sum() == pytest.approx(np.sqrt(2), abs=1e-12)
    for shift in range(0, len(taps), 2):
        inner = taps[shift:] @ taps[: len(taps) - shift]
        assert inner == pytest.approx(float(shift == 0), abs=1e-11)


@BOTH
def test_vanishing_moments(taps):
    """The high-pass filter sees no polynomial of a lower degree than half its length."""
    high = np.array(taps) * (-1.0) ** np.arange(len(taps))
    places = np.arange(len(taps)) / len(taps)
    for degree in range(len(taps) // 2):
        assert high @ places**degree == pytest.approx(0.0, abs=1e-9)


def least_asymmetric(moments):
    """The filter with the most linear phase of all that have so many vanishing moments.

    |H|^2 is a power of (2 + z + 1/z) / 4 times sum_k C(N-1+k, k) y^k with y = (2 - z - 1/z) / 4.
    Each root y gives a pair z, 1/z, one of which is the filter's.
    """
    roots = np.roots([comb(moments - 1 + k, k) for k in range(moments)][::-1])
    pairs = [np.roots([1, 4 * y - 2, 1]) for y in roots if y.imag > -1e-12]
    found = []
    for chosen in itertools.product(*[range(2)] * len(pairs)):
        zeros = [-1.0] * moments
        for pair, which in zip(pairs, chosen, strict=True):
            one = pair[which]
            zeros += [one.real] if abs(one.imag) < 1e-9 else [one, np.conj(one)]
        taps = np.poly(zeros).real
        taps *= np.sqrt(2) / taps.sum()
        angles = np.linspace(0, 0.9 * np.pi, 200)
        phase = np.unwrap(np.angle(np.exp(-1j * np.outer(angles, np.arange(len(taps)))) @ taps))
        line = angles * (angles @ phase) / (angles @ angles)
        found.append((np.abs(phase - line).max(), taps))
    return min(found, key=lambda one: one[0])[1]


@BOTH
def test_least_asymmetric(taps):
    expected = least_asymmetric(len(taps) // 2)
    apart = [np.abs(one - np.array(taps)).max() for one in (expected, expected[::-1])]
    assert min(apart) < 1e-9
