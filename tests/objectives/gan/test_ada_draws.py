"""What ADA draws: each number of its distribution, independent of the others."""

import itertools

import jax
import numpy as np
from scipy import stats

from jaxgan.objectives.gan import ada_draws


def test_draws():
    found = jax.jit(jax.vmap(ada_draws.draw))(jax.random.split(jax.random.key(0), 3000))
    assert tuple(found.gates) == tuple(sorted(ada_draws.GATES))
    columns = []
    for numbers, law in (
        (found.gates, "uniform"),
        (found.uniforms, "uniform"),
        (found.normals, "norm"),
    ):
        for name, values in numbers.items():
            assert stats.kstest(np.asarray(values), law, method="asymp").pvalue > 1e-4, name
            columns.append(np.asarray(values))
    apart = np.corrcoef(np.stack(columns))[~np.eye(len(columns), dtype=bool)]
    assert np.abs(apart).max() < 0.09
    assert len({column.tobytes() for column in columns}) == len(columns)


def test_names():
    for names in (ada_draws.GATES, ada_draws.UNIFORMS, ada_draws.NORMALS):
        assert len(set(names)) == len(names)
    used = set(itertools.chain(ada_draws.UNIFORMS, ada_draws.NORMALS))
    # A gate without a number of its own shares one by its axis.
    assert {name.split()[0] for name in ada_draws.GATES} == {name.split()[0] for name in used}
