"""Flows: densities against numerical Jacobians and quadrature, masks by what depends on what."""

import doctest

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from jaxgan.objectives.vae import autoregressive, flows
from jaxgan.objectives.vae.code_priors import StandardNormal
from jaxgan.objectives.vae.inverse_autoregressive_flow import InverseAutoregressiveFlow
from jaxgan.objectives.vae.planar_flow import PlanarFlow, planar_step
from jaxgan.objectives.vae.posteriors import Encoded, Posterior

KEY = jax.random.key(2)
FLOWS = [PlanarFlow(3), InverseAutoregressiveFlow(2, units=7, context=3, gate=1.0)]
EACH = pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: type(flow).__name__)


def in_double(function):
    """A function of arrays, compiled and run in double precision."""

    def run(*arrays):
        with jax.enable_x64(True):
            doubles = jax.tree.map(lambda x: jnp.asarray(np.asarray(x, np.float64)), arrays)
            return jax.tree.map(np.asarray, jax.jit(function)(*doubles))

    return run


def parts_of(flow, size, rows, scale=1.5):
    """Parameters, as if trained for a while, and what an encoder might return."""
    draws = np.random.default_rng(1)
    params = jax.device_get(flow.init(KEY, size))
    params = jax.tree.map(lambda leaf: leaf + draws.normal(0, 0.5, leaf.shape), params)
    encoded = Encoded(*draws.normal(0, scale, (2, rows, flow.encoded_size(size))))
    return params, encoded


@EACH
def test_densities_are_those_of_the_jacobian(flow):
    """``log q(z) = log N(noise) - log |det dz / dnoise|``, the determinant from all slopes."""
    draws = np.random.default_rng(1)
    size, rows = 3, 5
    params, encoded = parts_of(flow, size, rows)
    noise = draws.normal(size=(rows, size))

    def drawn(params, encoded, noise):
        def codes(one, row):
            single = Encoded(*(vector[row][None] for vector in encoded))
            return flow.draw(params, single, one[None], None).codes[0]

        slopes = jax.vmap(jax.jacfwd(codes))(noise, jnp.arange(rows))
        return flow.draw(params, encoded, noise, None), slopes

    (codes, log_prob), slopes = in_double(drawn)(params, encoded, noise)
    assert codes.shape == (rows, size)
    expected = stats.norm.logpdf(noise).sum(1) - np.linalg.slogdet(slopes)[1]
    np.testing.assert_allclose(log_prob, expected, rtol=1e-10)
    # The steps do something.
    assert np.abs(codes - encoded.mean[:, :size]).min() > 1e-3


@EACH
def test_a_density_of_one_number_integrates_to_one(flow):
    """Over the codes that a fine grid of noise is moved to, which keep its order."""
    params, encoded = parts_of(flow, 1, 1)
    noise = np.linspace(-9, 9, 4001)[:, None]
    rows = Encoded(*(np.repeat(vector, len(noise), 0) for vector in encoded))
    codes, log_prob = in_double(lambda p, e, n: flow.draw(p, e, n, None))(params, rows, noise)
    steps = np.diff(codes[:, 0])
    assert (steps > 0).all() or (steps < 0).all()
    assert abs(np.trapezoid(np.exp(log_prob), codes[:, 0])) == pytest.approx(1.0, abs=1e-6)


@EACH
def test_where_there_is_no_noise_is_the_center(flow):
    params, encoded = parts_of(flow, 4, 3)
    drawn = in_double(lambda p, e: flow.draw(p, e, jnp.zeros((3, 4)), None).codes)(params, encoded)
    center = in_double(flow.center)(params, encoded)
    np.testing.assert_allclose(center, drawn, rtol=1e-12)


@pytest.mark.slow
@EACH
def test_finite_far_out(flow):
    """In float32, values and gradients."""
    params, encoded = parts_of(flow, 3, 4)
    params, encoded = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), (params, encoded))
    noise = jnp.full((4, 3), 3.0)

    def total(encoded):
        drawn = flow.draw(params, encoded, noise, None)
        return jnp.sum(drawn.log_prob) + jnp.sum(drawn.codes)

    far = Encoded(20.0 * encoded.mean, 4.0 * encoded.log_variance)
    for given in (far, Encoded(*map(jnp.zeros_like, encoded))):
        found = jax.jit(jax.value_and_grad(total))(given)
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found))


@EACH
def test_is_a_posterior_without_a_closed_kl(flow):
    assert isinstance(flow, Posterior)
    assert not flow.has_kl(StandardNormal())
    assert (flow.dense, flow.anywhere, flow.gaussian) == (True, False, False)
    _, encoded = parts_of(flow, 2, 1)
    with pytest.raises(NotImplementedError):
        flow.log_prob({}, jax.tree.map(jnp.asarray, encoded), jnp.zeros((1, 2)))
    with pytest.raises(ValueError, match="steps = 0: a flow has at least 1"):
        type(flow)(steps=0)


def test_one_planar_step_as_printed():
    """Rezende and Mohamed 2015, eq. 10 to 12 and appendix A.1."""
    draws = np.random.default_rng(1)
    codes, u, w = draws.normal(0, 2, (3, 6, 4))
    b = draws.normal(size=6)
    # One that could not be turned back without the change of u.
    codes[0], u[0], b[0] = 0.0, -w[0], 0.0
    found, log_determinant = in_double(
        lambda z, u, w, b: planar_step(z, u=u, w=w, b=b)
    )(codes, u, w, b)  # fmt: skip
    along = (w * u).sum(1)
    kept = u + ((np.log1p(np.exp(along)) - 1 - along) / (w**2).sum(1))[:, None] * w
    argument = (w * codes).sum(1) + b
    psi = (1 - np.tanh(argument) ** 2)[:, None] * w
    np.testing.assert_allclose(found, codes + kept * np.tanh(argument)[:, None])
    np.testing.assert_allclose(log_determinant, np.log(np.abs(1 + (kept * psi).sum(1))), atol=1e-12)
    assert 1 + (u * psi).sum(1)[0] < 0


def test_a_planar_step_without_a_plane_is_a_shift():
    codes, u, zero = jnp.ones((2, 3)), jnp.full((2, 3), 2.0), jnp.zeros((2, 3))
    moved, log_determinant = jax.jit(planar_step)(codes, u=u, w=zero, b=jnp.full(2, 0.5))
    np.testing.assert_allclose(moved, 1 + 2 * np.tanh(0.5) * np.ones((2, 3)), rtol=1e-6)
    np.testing.assert_allclose(log_determinant, 0.0, atol=1e-6)


@pytest.mark.parametrize(("size", "hidden"), [pytest.param(1, 4, marks=pytest.mark.slow), (4, 9)])
def test_outputs_see_what_comes_before_them(size, hidden):
    """Slopes by the codes are strictly lower triangular, and all there; the context reaches all."""
    draws = np.random.default_rng(1)
    params = jax.device_get(autoregressive.init(KEY, size=size, hidden=hidden, context=2))
    codes, context = draws.normal(size=(1, size)), draws.normal(size=(1, 2))
    slopes_of = in_double(jax.jacfwd(autoregressive.apply, argnums=(1, 2)))
    # Outer: shift and gate. Inner: by codes, by context.
    for by_codes, by_context in slopes_of(params, codes, context):
        slopes = by_codes[0, :, 0, :]
        assert (slopes[np.tril_indices(size, -1)] != 0).all()
        np.testing.assert_array_equal(np.triu(slopes), np.zeros((size, size)))
        assert (by_context[0, :, 0, :] != 0).all()


def test_inverse_autoregressive_steps_as_printed():
    """Kingma et al. 2016, algorithm 1, in a loop over steps; the order is turned in between."""
    draws = np.random.default_rng(1)
    flow = FLOWS[1]
    params, encoded = parts_of(flow, 3, 4)
    noise = draws.normal(size=(4, 3))
    context = np.concatenate([encoded.mean[:, 3:], encoded.log_variance[:, 3:]], 1)[:, :3]
    spread = np.exp(encoded.log_variance[:, :3] / 2)
    z = spread * noise + encoded.mean[:, :3]
    log_prob = -(np.log(spread) + noise**2 / 2 + np.log(2 * np.pi) / 2).sum(1)
    for k in range(flow.steps):
        m, s = in_double(autoregressive.apply)(params[f"step_{k}"], z, context)
        gate = expit(s + 1.0)
        z = (gate * z + (1 - gate) * m)[:, ::-1]
        log_prob = log_prob - np.log(gate).sum(1)
    drawn = in_double(lambda p, e, n: flow.draw(p, e, n, None))(params, encoded, noise)
    np.testing.assert_allclose(drawn.codes, z, rtol=1e-10)
    np.testing.assert_allclose(drawn.log_prob, log_prob, rtol=1e-10)


def test_steps_differ_from_each_other():
    """Each has weights of its own, of the scale of its inputs."""
    params = InverseAutoregressiveFlow(2, units=200, context=16).init(KEY, 4)
    first, second = params["step_0"], params["step_1"]
    assert np.abs(first["shift"] - second["shift"]).min() > 0
    assert float(jnp.std(first["gate"])) == pytest.approx(200**-0.5, rel=0.1)
    assert float(jnp.std(first["codes"])) == pytest.approx(20**-0.5, rel=0.1)


@pytest.mark.parametrize("changes", [{"units": 0}, {"context": -1}, {"gate": float("nan")}])
def test_bad_settings(changes):
    with pytest.raises(ValueError, match=f"^{next(iter(changes))} = "):
        InverseAutoregressiveFlow(**changes)


@pytest.mark.parametrize("module", [autoregressive, flows])
def test_examples(module):
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed
