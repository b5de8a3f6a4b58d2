"""Draws of ADA that were not drawn, and images to try them on."""

import numpy as np

from jaxgan.objectives.gan import ada_draws
from jaxgan.objectives.gan.ada_draws import Draws


def still():
    """One image that nothing happens to, as NumPy scalars."""
    return Draws(
        dict.fromkeys(ada_draws.GATES, np.float32(2.0)),
        dict.fromkeys(ada_draws.UNIFORMS, np.float32(0.5)),
        dict.fromkeys(ada_draws.NORMALS, np.float32(0.0)),
    )


def opened(*gates, uniforms=(), normals=()):
    """What happens behind some gates, with numbers given by name, such as ``{"hue": 0.7}``."""
    base = still()
    numbers = dict(uniforms), dict(normals)
    assert set(gates) <= base.gates.keys()
    assert numbers[0].keys() <= base.uniforms.keys()
    assert numbers[1].keys() <= base.normals.keys()
    return Draws(
        base.gates | dict.fromkeys(gates, np.float32(0.0)),
        base.uniforms | {name: np.float32(one) for name, one in numbers[0].items()},
        base.normals | {name: np.float32(one) for name, one in numbers[1].items()},
    )


def images(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, size=shape).astype(np.float32)
