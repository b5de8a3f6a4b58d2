import jax
import jax.numpy as jnp
import numpy as np
import pytest
from linear_gaussian import VARIANCE, images_of, proposal
from scipy import stats

from jaxgan.evaluation.likelihood.posteriors import Codes, draw, encode, kl_by_dimension, padded


def test_batches_get_one_size_and_a_mask():
    images = np.arange(7.0).reshape(7, 1)
    batches = [
        {"image": images[:3], "mask": np.array([1.0, 0.0, 1.0])},
        {"image": images[:0]},
        {"image": images[3:5], "label": np.array([4, 5])},
    ]
    (first, kept), (second, last) = padded(batches)
    assert first.keys() == {"image"}
    assert kept.tolist() == [True, False, True]
    assert second["image"][:, 0].tolist() == [3, 4, 4]
    assert second["label"].tolist() == [4, 5, 5]
    assert last.tolist() == [True, True, False]


def test_a_data_set_is_encoded_in_order_without_padding():
    images = images_of(9)
    mask = np.array([1, 1, 0, 1], np.float32)
    batches = [{"image": images[:4], "mask": mask}, {"image": images[4:7]}, {"image": images[7:]}]
    codes = encode(proposal(), batches)
    mean, log_variance = proposal()({"image": images[[0, 1, 3, 4, 5, 6, 7, 8]]})
    np.testing.assert_allclose(codes.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(codes.log_variance, log_variance, rtol=1e-6)
    np.testing.assert_allclose(np.exp(codes.log_variance[0]), VARIANCE, rtol=1e-6)


def test_empty_and_damaged_sets_are_refused():
    with pytest.raises(ValueError, match="no images to encode"):
        encode(proposal(), [])
    with pytest.raises(ValueError, match="no images to encode"):
        encode(proposal(), [{"image": images_of(2), "mask": np.zeros(2)}])
    images = images_of(6)
    images[4] = np.inf
    with pytest.raises(ValueError, match="posterior of image 4 is not finite"):
        encode(proposal(), [{"image": images[:3]}, {"image": images[3:]}])


def test_kl_against_the_integral():
    codes = Codes(np.float32([[0.5, -1.0]]), np.float32([[-2.0, 0.7]]))
    for d in range(2):
        own = stats.norm(codes.mean[0, d], np.exp(codes.log_variance[0, d] / 2))
        expected = own.expect(lambda z, own=own: own.logpdf(z) - stats.norm.logpdf(z))
        assert kl_by_dimension(codes)[0, d] == pytest.approx(expected, rel=1e-6)


def test_draws_belong_to_image_and_number():
    """Of any subset of images and draws the same ones come out."""
    mean = jnp.asarray(np.random.default_rng(0).normal(size=(5, 3)), jnp.float32)
    log_variance = 0.5 * mean - 1
    key = jax.random.key(4)
    whole, noise = draw(key, mean, log_variance, jnp.arange(5), np.int32(0), count=6)
    np.testing.assert_allclose(whole, mean + jnp.exp(log_variance / 2) * noise, rtol=1e-5)
    places = jnp.asarray([3, 1])
    part, _ = draw(key, mean[places], log_variance[places], places, np.int32(2), count=3)
    np.testing.assert_allclose(part, whole[2:5, places], rtol=1e-5)
    assert len(np.unique(noise)) == noise.size


def test_draws_have_the_moments_of_the_posterior():
    mean, log_variance = jnp.asarray([[2.0, -1.0]]), jnp.asarray([[-1.0, 0.8]])
    place = jnp.zeros(1, jnp.int32)
    latents, _ = draw(jax.random.key(0), mean, log_variance, place, np.int32(0), count=20_000)
    z = (np.asarray(latents[:, 0]) - np.asarray(mean)) / np.exp(np.asarray(log_variance) / 2)
    for d in range(2):
        assert stats.kstest(z[:, d], "norm").pvalue > 1e-4
    assert abs(np.corrcoef(z.T)[0, 1]) < 0.04
